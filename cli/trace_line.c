/* SPDX-License-Identifier: MIT */
/*
 * trace_line.c: takes the lines of TIDE=trace and of GODEBUG=gctrace apart.
 *
 *     tide 7 @1.234s 2%: 0.010+0.020+0.300 ms clock, 4.00->2.00->0.50 MB, 64.00 MB goal,
 *       2 P (limit, capped); hits 9+8+7+6, misses 5, puts 4, drops 3+2+1+0+0, busiest 51%,
 *       stall 0.020 ms, 63.10 MB held, 3 pools
 *     tide 7 "buffers": hits 9+8+7+6, misses 5, puts 4, drops 3+2+1+0+0, busiest 51%,
 *       4.00->2.00->0.50 MB
 *     tide 7 arena "request": 3 alive, 2 created, 12 resets, 5 chunks, 2.00 MB held, 2.50 MB most
 *     gc 1 @0.012s 2%: 0.026+0.39+0.10 ms clock, 0.21+0.88/0.52/0+0.80 ms cpu, 4->4->0 MB,
 *       4 MB goal, 0 MB stacks, 0 MB globals, 8 P (forced)
 *
 * each on one line, perhaps behind what another writer left on it.
 */
#include "trace.h"

#include <string.h>

const char *const trace_count_names[] = {
    [HITS_CPU] = "hits_cpu",       [HITS_BATCH] = "hits_batch",
    [HITS_STOLEN] = "hits_stolen", [HITS_VICTIM] = "hits_victim",
    [MISSES] = "misses",           [PUTS] = "puts",
    [DROPS_IDLE] = "dropped_idle", [DROPS_HEAVY] = "dropped_heavy",
    [DROPS_FULL] = "dropped_full", [DROPS_DRAINED] = "dropped_drained",
    [DROPS_LOST] = "dropped_lost",
};

const char *const trace_reason_names[] = {
    [ASKED] = "asked", [GROWTH] = "growth",     [LIMIT] = "limit",
    [AGE] = "age",     [PRESSURE] = "pressure", [PACED] = "paced",
};

static const double NUMBER_MAX = 2e19; /* above 2^64; sums of such are finite */

/* What is not read yet of a line. The readers return false without it if it is not there. */
struct cursor {
    const char *at, *end;
};

static bool read_word(struct cursor *rest, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(rest->end - rest->at) < length || memcmp(rest->at, word, length) != 0)
        return false;
    rest->at += length;
    return true;
}

static bool is_digit(const struct cursor *rest)
{
    return rest->at < rest->end && *rest->at >= '0' && *rest->at <= '9';
}

/* "12" or "12.34", whatever the locale. */
static bool read_number(struct cursor *rest, double *value)
{
    double unit = 1;
    if (!is_digit(rest))
        return false;
    for (*value = 0; is_digit(rest); rest->at++)
        *value = *value * 10 + (*rest->at - '0');
    if (rest->at < rest->end && *rest->at == '.')
        rest->at++;
    for (; is_digit(rest); rest->at++) {
        unit /= 10;
        *value += (*rest->at - '0') * unit;
    }
    return *value < NUMBER_MAX;
}

static bool read_field(struct cursor *rest, const char *before, double *value, const char *after)
{
    return read_word(rest, before) && read_number(rest, value) && read_word(rest, after);
}

/* "1+2+3": so many. */
static bool read_sum(struct cursor *rest, double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!read_field(rest, i ? "+" : "", &values[i], ""))
            return false;
    return true;
}

static bool read_megabytes(struct cursor *rest, double *before, double *after, double *kept)
{
    return read_field(rest, "", before, "->") && read_field(rest, "", after, "->") &&
           read_field(rest, "", kept, " MB");
}

static bool read_counts(struct cursor *rest, double *counts, double *busiest)
{
    return read_word(rest, "hits ") && read_sum(rest, counts + HITS_CPU, 4) &&
           read_field(rest, ", misses ", counts + MISSES, "") &&
           read_field(rest, ", puts ", counts + PUTS, "") && read_word(rest, ", drops ") &&
           read_sum(rest, counts + DROPS_IDLE, 5) && read_field(rest, ", busiest ", busiest, "%");
}

/* "@1.234s 2%: 0.010+0.020+0.300 ms clock, " */
static bool read_clock(struct cursor *rest, struct trace_epoch *epoch, double phases[3])
{
    if (!read_field(rest, "@", &epoch->start_s, "s ") ||
        !read_field(rest, "", &epoch->percent, "%: ") || !read_sum(rest, phases, 3) ||
        !read_word(rest, " ms clock, "))
        return false;
    epoch->clock_ms = phases[0] + phases[1] + phases[2];
    return true;
}

static bool read_reason(struct cursor *rest, struct trace_epoch *epoch)
{
    for (epoch->reason = ASKED; epoch->reason < PACED; epoch->reason++)
        if (read_word(rest, trace_reason_names[epoch->reason])) {
            epoch->capped = read_word(rest, ", capped");
            return true;
        }
    return false;
}

static bool read_tide(struct cursor *rest, struct trace_epoch *epoch)
{
    double phases[3];
    return read_clock(rest, epoch, phases) &&
           read_megabytes(rest, &epoch->before_mb, &epoch->after_mb, &epoch->kept_mb) &&
           read_field(rest, ", ", &epoch->goal_mb, " MB goal") &&
           read_field(rest, ", ", &epoch->cpus, " P (") && read_reason(rest, epoch) &&
           read_word(rest, "); ") && read_counts(rest, epoch->counts, &epoch->busiest_percent) &&
           read_field(rest, ", stall ", &epoch->stall_ms, " ms") &&
           read_field(rest, ", ", &epoch->held_mb, " MB held") &&
           read_field(rest, ", ", &epoch->pools, " pools");
}

/* "0.21+0.88/0.52/0+0.80 ms cpu, ": we look at the clock only. */
static bool read_cpu(struct cursor *rest)
{
    double ignored;
    return read_field(rest, "", &ignored, "+") && read_field(rest, "", &ignored, "/") &&
           read_field(rest, "", &ignored, "/") && read_field(rest, "", &ignored, "+") &&
           read_field(rest, "", &ignored, " ms cpu, ");
}

/* Go 1.18 and later have stacks and globals in between. */
static bool read_go(struct cursor *rest, struct trace_epoch *epoch)
{
    double phases[3], ignored;
    if (!read_clock(rest, epoch, phases) || !read_cpu(rest) ||
        !read_megabytes(rest, &epoch->before_mb, &epoch->after_mb, &epoch->kept_mb) ||
        !read_field(rest, ", ", &epoch->goal_mb, " MB goal, "))
        return false;
    struct cursor without = *rest;
    if (!read_field(rest, "", &ignored, " MB stacks, ") ||
        !read_field(rest, "", &ignored, " MB globals, "))
        *rest = without;
    if (!read_field(rest, "", &epoch->cpus, " P"))
        return false;
    epoch->stall_ms = phases[0] > phases[2] ? phases[0] : phases[2];
    epoch->reason = read_word(rest, " (forced)") ? ASKED : PACED;
    return true;
}

/* As tide__text_json prints: a quotation mark, a backslash and control characters escaped. */
static bool read_escape(struct cursor *rest)
{
    if (read_word(rest, "\"") || read_word(rest, "\\") || read_word(rest, "n"))
        return true;
    if (!read_word(rest, "u00") || rest->end - rest->at < 2)
        return false;
    bool is_hex = strchr("01234567", rest->at[0]) && strchr("0123456789abcdef", rest->at[1]) &&
                  rest->at[0] && rest->at[1];
    rest->at += 2;
    return is_hex && memcmp(rest->at - 2, "00", 2) != 0;
}

static bool read_name(struct cursor *rest, struct trace_pool *pool)
{
    if (!read_word(rest, "\""))
        return false;
    pool->name = (char *)(uintptr_t)rest->at;
    while (rest->at < rest->end && *rest->at != '"') {
        unsigned char c = (unsigned char)*rest->at++;
        if (c < 0x20 || c == 0x7f || (c == '\\' && !read_escape(rest)))
            return false;
    }
    pool->name_length = (size_t)(rest->at - pool->name);
    return read_word(rest, "\"");
}

static bool read_pool(struct cursor *rest, struct trace_pool *pool)
{
    return read_name(rest, pool) && read_word(rest, ": ") &&
           read_counts(rest, pool->counts, &pool->busiest_percent) && read_word(rest, ", ") &&
           read_megabytes(rest, &pool->before_mb, &pool->after_mb, &pool->kept_mb);
}

static bool read_arena(struct cursor *rest, struct trace_pool *pool)
{
    struct trace_arena *arena = &pool->arena;
    return read_word(rest, "arena ") && read_name(rest, pool) &&
           read_field(rest, ": ", &arena->alive, " alive") &&
           read_field(rest, ", ", &arena->created, " created") &&
           read_field(rest, ", ", &arena->resets, " resets") &&
           read_field(rest, ", ", &arena->chunks, " chunks") &&
           read_field(rest, ", ", &arena->held_mb, " MB held") &&
           read_field(rest, ", ", &arena->most_mb, " MB most");
}

/* Behind a number of ours, as far as the line goes. */
static bool is_arena(const struct cursor *rest)
{
    static const char word[] = "arena \"";
    size_t length = (size_t)(rest->end - rest->at), most = strlen(word);
    return memcmp(rest->at, word, length < most ? length : most) == 0;
}

/* From where "tide " or "gc " and a number stand. */
static enum trace_line read_from(struct cursor rest, struct trace_epoch *epoch,
                                 struct trace_pool *pool)
{
    enum trace_line line = LINE_OTHER;
    memset(epoch, 0, sizeof(*epoch));
    memset(pool, 0, sizeof(*pool));
    bool go = !read_word(&rest, "tide ");
    if ((go && !read_word(&rest, "gc ")) || !read_field(&rest, "", &epoch->number, " "))
        return LINE_OTHER;
    if (rest.at == rest.end)
        return LINE_DAMAGED;
    if (*rest.at != '@' && (go || (*rest.at != '"' && !is_arena(&rest))))
        return LINE_OTHER;
    if (go)
        line = read_go(&rest, epoch) ? LINE_GO : LINE_DAMAGED;
    else if (*rest.at == '@')
        line = read_tide(&rest, epoch) ? LINE_TIDE : LINE_DAMAGED;
    else if (*rest.at == '"')
        line = read_pool(&rest, pool) ? LINE_POOL : LINE_DAMAGED;
    else
        line = read_arena(&rest, pool) ? LINE_ARENA : LINE_DAMAGED;
    return rest.at == rest.end ? line : LINE_DAMAGED;
}

enum trace_line trace_line_read(const char *text, size_t length, struct trace_epoch *epoch,
                                struct trace_pool *pool)
{
    struct cursor rest = {text, text + length};
    enum trace_line line = LINE_OTHER, found;
    for (; rest.at < rest.end; rest.at++) {
        if (*rest.at != 't' && *rest.at != 'g')
            continue;
        found = read_from(rest, epoch, pool);
        if (found > LINE_DAMAGED)
            return found;
        line = found == LINE_DAMAGED ? LINE_DAMAGED : line;
    }
    return line;
}

static bool begins_as(const char *text, size_t length, const char *word)
{
    size_t shorter = length < strlen(word) ? length : strlen(word);
    size_t digits = shorter;
    while (digits < length && text[digits] >= '0' && text[digits] <= '9')
        digits++;
    return memcmp(text, word, shorter) == 0 && digits == length;
}

bool trace_line_may_begin(const char *text, size_t length)
{
    return length && (begins_as(text, length, "tide ") || begins_as(text, length, "gc "));
}

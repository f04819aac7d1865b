/* SPDX-License-Identifier: MIT */
/*
 * data.c: loads the iso-codes data sets and builds the indexes over them.
 */
#include "data.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <tide_stackalloc.h>

static const struct {
    const char *name, *set, *code;
} kinds[KIND_COUNT] = {
    [KIND_COUNTRY] = {"country", "3166-1", "alpha_2"},
    [KIND_CURRENCY] = {"currency", "4217", "alpha_3"},
    [KIND_LANGUAGE] = {"language", "639-3", "alpha_3"},
    [KIND_SUBDIVISION] = {"subdivision", "3166-2", "code"},
};

json_t *entry_code(const struct entry *entry)
{
    return json_object_get(entry->value, kinds[entry->kind].code);
}

json_t *entry_name(const struct entry *entry)
{
    return json_object_get(entry->value, "name");
}

static bool index_grow(struct index *index)
{
    size_t capacity = index->capacity ? 2 * index->capacity : 1024;
    struct entry *entries = reallocarray(index->entries, capacity, sizeof *entries);
    if (!entries)
        return false;
    index->entries = entries;
    index->capacity = capacity;
    return true;
}

static bool index_add(struct index *index, struct entry entry)
{
    if (index->count == index->capacity && !index_grow(index))
        return false;
    index->entries[index->count++] = entry;
    return true;
}

static int compare_entries(const void *left, const void *right, void *argument)
{
    const struct entry *a = left, *b = right;
    const struct index *index = argument;
    int order = index->compare(a->key, b->key, SIZE_MAX);
    if (!order)
        order = (int)a->kind - (int)b->kind;
    if (!order) /* so that the order is the same in each run */
        order = strcmp(json_string_value(entry_code(a)), json_string_value(entry_code(b)));
    return order;
}

static void index_sort(struct index *index)
{
    if (index->count) /* else there may be no array */
        qsort_r(index->entries, index->count, sizeof *index->entries, compare_entries, index);
}

/* Where the first key is whose start, as far as `key` goes, is above `key` or equals it; with
 * `past` set, only above. */
static size_t index_bound(const struct index *index, const char *key, bool past)
{
    size_t low = 0, high = index->count, size = strlen(key);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->compare(index->entries[middle].key, key, size) < past)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct span index_prefix(const struct index *index, const char *prefix)
{
    size_t first = index_bound(index, prefix, false);
    return (struct span){index->entries + first, index_bound(index, prefix, true) - first};
}

const struct entry *index_find(const struct index *index, const char *key)
{
    /* A key that equals its prefix sorts before all longer ones. */
    struct span span = index_prefix(index, key);
    return span.count && strlen(span.first->key) == strlen(key) ? span.first : NULL;
}

const struct entry *data_find(const struct data *data, const char *code)
{
    const struct entry *entry = NULL;
    for (int kind = 0; kind < KIND_COUNT && !entry; kind++)
        entry = index_find(&data->codes[kind], code);
    return entry;
}

static bool word_starts(const char *name, const char *at)
{
    /* Bytes above 127 are parts of letters in UTF-8. */
    return !ispunct((unsigned char)*at) && *at != ' ' &&
           (at == name || at[-1] == ' ' || ispunct((unsigned char)at[-1]));
}

static bool add_words(struct data *data, struct entry entry)
{
    const char *name = json_string_value(entry_name(&entry));
    for (const char *at = name; *at; at++) {
        entry.key = at;
        if (word_starts(name, at) && !index_add(&data->words, entry))
            return false;
    }
    return true;
}

static bool add_entry(struct data *data, enum kind kind, json_t *value)
{
    struct entry entry = {.value = value, .kind = kind};
    const char *name = json_string_value(entry_name(&entry));
    const char *code = json_string_value(entry_code(&entry));
    if (!name || !code)
        return false;
    entry.key = name;
    if (kind == KIND_LANGUAGE && !index_add(&data->languages, entry))
        return false;
    entry.key = code;
    return index_add(&data->codes[kind], entry) && add_words(data, entry);
}

static bool add_all(struct data *data, enum kind kind)
{
    json_t *set = json_object_get(data->documents[kind], kinds[kind].set), *value;
    size_t i;
    json_array_foreach(set, i, value)
    {
        if (!add_entry(data, kind, value))
            return false;
    }
    index_sort(&data->codes[kind]);
    return json_array_size(set) > 0;
}

static bool load_kind(struct data *data, enum kind kind, const char *folder)
{
    TIDE_STACKBUF(path, 128);
    json_error_t error = {.text = "no memory"};
    if (tide_stackbuf_printf(&path, "%s/iso_%s.json", folder, kinds[kind].set))
        data->documents[kind] = json_load_file(path.data, 0, &error);
    data->kind_names[kind] = json_string(kinds[kind].name);
    if (!data->documents[kind]) {
        fprintf(stderr, "json_service: %s: %s\n", path.data, error.text);
        return false;
    }
    if (!data->kind_names[kind] || !add_all(data, kind)) {
        fprintf(stderr, "json_service: %s: not a list of codes and names\n", path.data);
        return false;
    }
    return true;
}

bool data_load(struct data *data, const char *folder)
{
    *data = (struct data){.languages.compare = strncasecmp, .words.compare = strncasecmp};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        data->codes[kind].compare = strncmp;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        if (!load_kind(data, (enum kind)kind, folder))
            return false;
    }
    index_sort(&data->languages);
    index_sort(&data->words);
    return true;
}

void data_unload(struct data *data)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        free(data->codes[kind].entries);
        json_decref(data->documents[kind]);
        json_decref(data->kind_names[kind]);
    }
    free(data->languages.entries);
    free(data->words.entries);
}

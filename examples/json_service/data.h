/* SPDX-License-Identifier: MIT */
/*
 * data.h: the iso-codes data sets in memory, and sorted indexes to look things up in them.
 *
 * Loaded once at start and read-only from then on, so any thread may read it at any time.
 */
#ifndef JSON_SERVICE_DATA_H
#define JSON_SERVICE_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum kind { KIND_COUNTRY, KIND_CURRENCY, KIND_LANGUAGE, KIND_SUBDIVISION, KIND_COUNT };

/* Key and value point into the data set's documents. */
struct entry {
    const char *key;
    json_t *value;
    enum kind kind;
};

typedef int key_compare(const char *left, const char *right, size_t size);

/* Entries sorted by key, as `compare` (strncmp or strncasecmp) orders them. */
struct index {
    struct entry *entries;
    size_t count, capacity;
    key_compare *compare;
};

struct span {
    const struct entry *first;
    size_t count;
};

struct data {
    json_t *documents[KIND_COUNT];
    json_t *kind_names[KIND_COUNT];
    struct index codes[KIND_COUNT]; /* by code, exact case */
    struct index languages;         /* languages by name, any case */
    struct index words;             /* everything by each word of its name, any case */
};

/* Loads the data sets of `folder`. On failure says why on stderr and returns false; what was
 * loaded until then is data_unload's to free. */
bool data_load(struct data *data, const char *folder);
void data_unload(struct data *data);

/* All entries whose key starts with `prefix`. */
struct span index_prefix(const struct index *index, const char *prefix);

/* The entry whose key is `key`, or NULL. */
const struct entry *index_find(const struct index *index, const char *key);

/* The entry whose code is `code`, in whichever data set has one; NULL if none has. */
const struct entry *data_find(const struct data *data, const char *code);

/* Borrowed strings of an entry. */
json_t *entry_code(const struct entry *entry);
json_t *entry_name(const struct entry *entry);

#endif

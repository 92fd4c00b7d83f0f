/* Between the SDK and the functions of one plugin's own interfaces, whose types are generated from its WIT into plugin.h. */
#ifndef PH_SERVICE_H
#define PH_SERVICE_H

#include "plugin.h"

#include "poolhouse.h"

#include <string.h>

/* An argument as a C string, where it is. One with a zero byte in it ends there; `text->ptr` and `text->len` have all of it. */
static inline const char *ph_in(const plugin_string_t *text) {
    return text->len ? (const char *)text->ptr : "";
}

/* A C string as an answer, where it is: one that a `ph_` function made, or a literal. */
static inline plugin_string_t ph_out(const char *text) {
    return (plugin_string_t){(uint8_t *)text, strlen(text)};
}

#ifdef POOLHOUSE_PLUGIN_TYPES_FAILURE_KIND_FAILED

/* The error as the failure of a function that answers `result<_, failure>`; answers false: `return ph_failed(failure, &error);` */
static inline bool ph_failed(poolhouse_plugin_types_failure_t *failure, const ph_error *error) {
    failure->kind = POOLHOUSE_PLUGIN_TYPES_FAILURE_KIND_FAILED;
    failure->message = ph_out(error->message ? error->message : "the plugin failed, and does not say why");
    return false;
}

#endif

/* A table that a migration makes with CREATE TABLE IF NOT EXISTS, or adopts where somebody made it before. */
typedef struct ph_table {
    const char *name;
    /* `PH_LIST("id", "name")`: the columns that the plugin needs. */
    const char *const *columns;
} ph_table;

/* A step in the life of the plugin's tables, which the host runs once, at load. */
typedef struct ph_migration {
    /* From 1, rising; never used again for something else. */
    uint32_t number;
    /* A few words for the log. */
    const char *name;
    /* `PH_TABLES({"users", PH_LIST("id", "name")}, …)`, or NULL. */
    const ph_table *tables;
    /* `PH_LIST("CREATE TABLE …", …)`: one SQL statement each. */
    const char *const *statements;
} ph_migration;

/* What a world that exports `poolhouse:plugin/migrations` has; the plugin defines `ph_exported_migrations`. Only grows: a migration that
   has run somewhere is never changed, and what is wrong in it is put right by the next. */
typedef struct ph_migrations {
    /* `PH_MIGRATIONS({1, "users", PH_TABLES(…), PH_LIST(…)}, …)` for each database. */
    const ph_migration *sqlite;
    const ph_migration *postgresql;
} ph_migrations;

#define PH_LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PH_TABLES(...) ((const ph_table[]){__VA_ARGS__, {0}})
#define PH_MIGRATIONS(...) ((const ph_migration[]){__VA_ARGS__, {0}})

extern const ph_migrations ph_exported_migrations;

#endif

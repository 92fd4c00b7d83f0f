/* Exports the plugin's `ph_exported_migrations`, where its world exports `poolhouse:plugin/migrations`. */
#include "plugin.h"

#ifdef EXPORTS_POOLHOUSE_PLUGIN_MIGRATIONS_DIALECT_SQLITE

#include "ph_service.h"

static plugin_list_string_t strings(const char *const *list) {
    size_t count = 0;
    while (list && list[count]) count++;
    plugin_string_t *strings = ph_alloc(count * sizeof *strings);
    for (size_t i = 0; i < count; i++) strings[i] = ph_out(list[i]);
    return (plugin_list_string_t){strings, count};
}

static exports_poolhouse_plugin_migrations_list_table_t tables(const ph_table *list) {
    size_t count = 0;
    while (list && list[count].name) count++;
    exports_poolhouse_plugin_migrations_table_t *tables = ph_alloc(count * sizeof *tables);
    for (size_t i = 0; i < count; i++) {
        tables[i] = (exports_poolhouse_plugin_migrations_table_t){ph_out(list[i].name), strings(list[i].columns)};
    }
    return (exports_poolhouse_plugin_migrations_list_table_t){tables, count};
}

void exports_poolhouse_plugin_migrations_migrations(
    exports_poolhouse_plugin_migrations_dialect_t dialect, exports_poolhouse_plugin_migrations_list_migration_t *answer
) {
    const ph_migration *list = dialect == EXPORTS_POOLHOUSE_PLUGIN_MIGRATIONS_DIALECT_SQLITE ? ph_exported_migrations.sqlite
                                                                                          : ph_exported_migrations.postgresql;
    size_t count = 0;
    while (list && list[count].number) count++;
    exports_poolhouse_plugin_migrations_migration_t *migrations = ph_alloc(count * sizeof *migrations);
    for (size_t i = 0; i < count; i++) {
        migrations[i] = (exports_poolhouse_plugin_migrations_migration_t){
            .number = list[i].number,
            .name = ph_out(list[i].name),
            .tables = tables(list[i].tables),
            .statements = strings(list[i].statements),
        };
    }
    answer->ptr = migrations;
    answer->len = count;
}

#endif

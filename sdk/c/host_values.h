/* Between the SDK's values, columns and errors and the bindings' of the same. */
#ifndef HOST_VALUES_H
#define HOST_VALUES_H

#include "plugin.h"

#include "ph_database.h"

/* The text where it is. */
plugin_string_t host_string(const char *text);

/* The host's error with its texts copied; answers false. */
bool host_error(const poolhouse_database_types_error_t *failed, ph_error *error);

poolhouse_database_database_list_value_t host_params(ph_params params);
poolhouse_database_database_list_column_t host_columns_out(const ph_column *columns, size_t count);

/* Columns as the host laid them out; their data stays where it is. */
const ph_column *host_columns_in(const poolhouse_database_types_list_column_t *list);
const ph_column_info *host_infos(const poolhouse_database_types_column_info_t *list, size_t count);

#endif

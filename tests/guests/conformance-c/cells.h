/* Between the script's values, columns and errors and the SDK's. */
#ifndef CELLS_H
#define CELLS_H

#include "ph_service.h"

ph_params cells_params(const exports_script_list_value_t *values);

/* The rows' cells as values. Traps on a layout that is not the contract's. */
exports_script_list_list_value_t cells_rows(const ph_rows *rows);
exports_script_list_column_info_t cells_infos(const ph_column_info *infos, size_t count);

/* The sum of all int64 values and of all bytes of texts, wrapping. */
uint64_t cells_checksum(const ph_rows *rows);

const ph_column *cells_columns(const exports_script_list_column_t *columns);

/* The columns as rows; answers false where they are none: of different lengths, or laid out wrongly. */
bool cells_records(const ph_column *columns, size_t count, ph_records *records);

exports_script_error_t cells_error(const ph_error *error);

#endif

/* Lines for the host's log, where they stand under the plugin's name; which levels are kept, the operator decides. */
#ifndef PH_LOG_H
#define PH_LOG_H

#include "ph_memory.h"

typedef enum ph_log_level { PH_TRACE, PH_DEBUG, PH_INFO, PH_WARN, PH_ERROR, PH_CRITICAL } ph_log_level;

/* One line of that level, as printf makes it. Natively, and in a world that does not import `wasi:logging/logging`, it goes to
   standard error. */
void ph_log(ph_log_level level, const char *format, ...) PH_PRINTF(2);

#define ph_log_trace(...) ph_log(PH_TRACE, __VA_ARGS__)
#define ph_log_debug(...) ph_log(PH_DEBUG, __VA_ARGS__)
#define ph_log_info(...) ph_log(PH_INFO, __VA_ARGS__)
#define ph_log_warn(...) ph_log(PH_WARN, __VA_ARGS__)
#define ph_log_error(...) ph_log(PH_ERROR, __VA_ARGS__)

/* Where the lines go; the host's part of the SDK and tests set it. NULL is standard error. */
extern void (*ph_log_sink)(ph_log_level level, const char *line);

#endif

/* All that a plugin in C includes: strategies, the database, decimals, times and log lines. What needs the interfaces of one plugin,
   which are generated from its WIT, is in ph_service.h. */
#ifndef POOLHOUSE_H
#define POOLHOUSE_H

#include "ph_memory.h"
#include "ph_error.h"
#include "ph_log.h"
#include "ph_strategy.h"
#include "ph_decimal.h"
#include "ph_time.h"
#include "ph_uuid.h"
#include "ph_value.h"
#include "ph_rows.h"
#include "ph_database.h"

#endif

/* Memory that is given back when a call into the plugin ends; what must live longer, the plugin takes from malloc.

   Whatever a function that begins with `ph_` answers, and whatever the host hands in, lives until the call into the plugin ends, and
   nobody frees it. A call that makes much on its way, such as a loop over many rows, gives it back earlier with PH_SCOPE. */
#ifndef PH_MEMORY_H
#define PH_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Marks a function whose argument `at` is a format of printf, so that the compiler checks what follows it. */
#define PH_PRINTF(at) __attribute__((format(printf, at, at + 1)))

/* So many bytes, all 0, aligned for anything; until the call ends. Traps if there is no memory left. */
void *ph_alloc(size_t size);

/* Text as printf makes it; until the call ends. */
char *ph_format(const char *format, ...) PH_PRINTF(1);

/* The same, of arguments that are there already. */
char *ph_format_list(const char *format, va_list arguments);

/* A copy of so many bytes with a zero byte behind them; until the call ends. */
char *ph_copy(const void *data, size_t length);

/* Writes the sentence to standard error and traps: for what can't be, such as an argument that no caller may give. The host quotes
   the sentence as the reason for the trap; the instance is gone, the plugin is not. */
_Noreturn void ph_panic(const char *format, ...) PH_PRINTF(1);

/* Bytes that the plugin's calls have from malloc at present, for tests. */
size_t ph_memory_held(void);

/* Where memory is taken from. */
typedef struct ph_arena ph_arena;

/* A place in an arena, to which it can be taken back. */
typedef struct ph_scope {
    ph_arena *arena;
    void *chunk;
    size_t used;
    bool open;
} ph_scope;

/* What is made from here on… */
ph_scope ph_scope_begin(void);

/* …is given back here: rows, texts and the messages of errors among it. */
void ph_scope_end(ph_scope *scope);

/* Gives back what was made since the scope began, but the texts that these variables of type `const char *` point at, until NULL: they
   are moved, and the variables with them. So a loop over any number of rows needs no more memory than one of them.

       ph_scope scope = ph_scope_begin();
       const char *sum = "0";
       while (ph_cursor_next(&cursor, &row, error)) {
           sum = ph_decimal_add(sum, ph_row_decimal(row, "amount", error));
           ph_scope_keep(&scope, &sum, NULL);
       } */
void ph_scope_keep(ph_scope *scope, ...) __attribute__((sentinel));

/* A block at whose end everything that was made in it is given back. Leaving it by `return`, `break` or `goto` is allowed: then it is
   given back when the call ends.

       while (ph_cursor_next(&cursor, &row, error)) PH_SCOPE {
           …
       } */
#define PH_SCOPE for (ph_scope ph_scope_here = ph_scope_begin(); ph_scope_here.open; ph_scope_end(&ph_scope_here))

/* An arena of its own, for memory that lives neither for a call nor for the whole time. */
ph_arena *ph_arena_new(void);

/* Gives back all of it, and keeps the arena. */
void ph_arena_clear(ph_arena *arena);

/* Gives back all of it and the arena. NULL is allowed. */
void ph_arena_free(ph_arena *arena);

/* From now on memory comes from that arena, or from the call's own with NULL. Answers the one before. */
ph_arena *ph_arena_use(ph_arena *arena);

/* Begins and ends a call into the plugin. The generated exports do it; a native test may, to give back what it made. */
void ph_call_begin(void);
void ph_call_end(void);

/* Memory for what the host hands in. Before a call it is the next call's. */
void *ph_alloc_for_host(size_t size, size_t align);

#endif

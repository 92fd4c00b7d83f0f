/* Arenas: chunks of malloc's memory that are filled from one end and given back as a whole. Knows of calls only that one ends before
   the next begins. */
#include "ph_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one call of most strategies needs, so that they never ask malloc for any. */
#define FIRST_CHUNK 4096
#define NEXT_CHUNK 65536
#define ALIGNMENT 16

/* The head of a chunk, with its bytes right behind it. */
typedef struct chunk {
    _Alignas(ALIGNMENT) struct chunk *before;
    size_t capacity;
    size_t used;
} chunk;

struct ph_arena {
    /* The newest chunk; NULL while there is none. */
    chunk *newest;
    /* How large the next first chunk is to be at least: what was needed before is most often needed again. */
    size_t likely;
};

static struct {
    chunk head;
    _Alignas(ALIGNMENT) unsigned char bytes[FIRST_CHUNK];
} first = {.head = {.capacity = FIRST_CHUNK}};

static ph_arena call_arena = {.newest = &first.head};
static ph_arena *current = &call_arena;
/* Whether a call has ended whose memory is still there: its results are read after its end. */
static bool ended;
static size_t held;

static bool is_first(const chunk *chunk) {
    return chunk == &first.head;
}

static void *take(ph_arena *arena, size_t size) {
    if (size > SIZE_MAX / 2) ph_panic("%zu bytes are more than there can be", size);
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    chunk *newest = arena->newest;
    if (!newest || newest->capacity - newest->used < size) {
        size_t least = !newest && arena->likely ? arena->likely : NEXT_CHUNK;
        size_t capacity = size > least ? size : least;
        chunk *made = malloc(sizeof(chunk) + capacity);
        if (!made) ph_panic("no memory is left for %zu bytes more; do less at once, or raise the plugin's limit `memory`", size);
        *made = (chunk){.before = newest, .capacity = capacity};
        held += capacity;
        arena->newest = newest = made;
    }
    void *taken = (unsigned char *)(newest + 1) + newest->used;
    newest->used += size;
    return taken;
}

static void release(ph_arena *arena, void *until, size_t used) {
    while (arena->newest && arena->newest != until) {
        chunk *gone = arena->newest;
        if (is_first(gone)) break;
        arena->newest = gone->before;
        held -= gone->capacity;
        free(gone);
    }
    if (arena->newest && arena->newest->used > used) arena->newest->used = used;
}

void *ph_alloc(size_t size) {
    void *taken = take(current, size);
    return memset(taken, 0, size);
}

void *ph_alloc_for_host(size_t size, size_t align) {
    if (ended) {
        release(&call_arena, &first.head, 0);
        ended = false;
    }
    if (align > ALIGNMENT) ph_panic("an alignment of %zu bytes is more than the component model has", align);
    unsigned char *taken = take(current, size + 1);
    /* Texts and bytes of the host get a zero byte behind them, so that they are C strings as they are. */
    taken[size] = 0;
    return taken;
}

void ph_call_begin(void) {
    if (ended) release(&call_arena, &first.head, 0);
    ended = false;
    current = &call_arena;
}

void ph_call_end(void) {
    ended = true;
    current = &call_arena;
}

char *ph_copy(const void *data, size_t length) {
    char *copy = take(current, length + 1);
    if (length) memcpy(copy, data, length);
    copy[length] = 0;
    return copy;
}

char *ph_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = ph_format_list(format, arguments);
    va_end(arguments);
    return text;
}

char *ph_format_list(const char *format, va_list arguments) {
    char small[256];
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(small, sizeof small, format, arguments);
    if (length < 0) ph_panic("`%s` is no format of printf, or its arguments are none of its own", format);
    char *text;
    if ((size_t)length < sizeof small) {
        text = ph_copy(small, (size_t)length);
    } else {
        text = take(current, (size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    return text;
}

void ph_panic(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

size_t ph_memory_held(void) {
    return held;
}

ph_scope ph_scope_begin(void) {
    chunk *newest = current->newest;
    return (ph_scope){current, newest, newest ? newest->used : 0, true};
}

void ph_scope_end(ph_scope *scope) {
    scope->open = false;
    /* A scope that was ended around this one has taken the chunk with it, and perhaps made it anew. */
    for (chunk *each = scope->arena->newest; each; each = each->before) {
        if (each == scope->chunk) {
            release(scope->arena, each, scope->used);
            return;
        }
    }
    if (!scope->chunk) release(scope->arena, NULL, 0);
}

void ph_scope_keep(ph_scope *scope, ...) {
    va_list texts, again;
    va_start(texts, scope);
    va_copy(again, texts);
    size_t size = 0;
    for (const char **text; (text = va_arg(texts, const char **));) size += *text ? strlen(*text) + 1 : 0;
    va_end(texts);
    char *kept = malloc(size ? size : 1);
    if (!kept) ph_panic("no memory is left for %zu bytes more; do less at once, or raise the plugin's limit `memory`", size);
    /* Copied out all together before any is written, for each may lie where another goes. */
    char *end = kept;
    va_start(texts, scope);
    for (const char **text; (text = va_arg(texts, const char **));) {
        if (*text) end = stpcpy(end, *text) + 1;
    }
    va_end(texts);
    ph_scope_end(scope);
    scope->open = true;
    char *moved = ph_copy(kept, size);
    for (const char **text; (text = va_arg(again, const char **));) {
        if (!*text) continue;
        *text = moved;
        moved += strlen(moved) + 1;
    }
    va_end(again);
    free(kept);
}

ph_arena *ph_arena_new(void) {
    ph_arena *arena = calloc(1, sizeof(ph_arena));
    if (!arena) ph_panic("no memory is left for an arena; raise the plugin's limit `memory`");
    return arena;
}

void ph_arena_clear(ph_arena *arena) {
    if (arena->newest && !arena->newest->before) {
        arena->newest->used = 0;
        return;
    }
    /* One chunk in place of several, so that batch after batch of a cursor asks malloc for nothing. */
    arena->likely = 0;
    for (chunk *each = arena->newest; each; each = each->before) arena->likely += each->capacity;
    release(arena, NULL, 0);
}

void ph_arena_free(ph_arena *arena) {
    if (!arena) return;
    release(arena, NULL, 0);
    free(arena);
}

ph_arena *ph_arena_use(ph_arena *arena) {
    ph_arena *before = current;
    current = arena ? arena : &call_arena;
    return before;
}

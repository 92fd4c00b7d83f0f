/* What the C library asks of WASI's first preview, answered by its second: printf, assert and time work, and a plugin asks the host
   for nothing else. What needs files or sockets is not here, so the build says which function the plugin must do without. */
#include "wasi.h"

#include <stdlib.h>
#include <string.h>

#include "ph_memory.h"

/* Numbers of the first preview's `errno`. */
enum { SUCCESS = 0, BADF = 8, FAULT = 21, INVAL = 28, PIPE = 64, SPIPE = 70 };

/* The most that a stream takes at once. */
#define MOST 4096

/* The library's objects import these names from the host; an object that has them goes before. */
#define PREVIEW1(name) __imported_wasi_snapshot_preview1_##name

typedef struct span {
    const uint8_t *data;
    size_t length;
} span;

static bool write_all(wasi_io_streams_own_output_stream_t stream, span bytes) {
    while (bytes.length) {
        wasi_list_u8_t part = {(uint8_t *)bytes.data, bytes.length < MOST ? bytes.length : MOST};
        wasi_io_streams_stream_error_t failed;
        if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(
                wasi_io_streams_borrow_output_stream(stream), &part, &failed
            )) {
            if (failed.tag == WASI_IO_STREAMS_STREAM_ERROR_LAST_OPERATION_FAILED) {
                wasi_io_error_error_drop_own(failed.val.last_operation_failed);
            }
            return false;
        }
        bytes.data += part.len;
        bytes.length -= part.len;
    }
    return true;
}

int32_t PREVIEW1(fd_write)(int32_t fd, int32_t spans, int32_t count, int32_t written) {
    if (fd != 1 && fd != 2) return BADF;
    const span *list = (const span *)spans;
    /* The handle is held no longer than the write, for a plugin may have few of them. */
    wasi_io_streams_own_output_stream_t stream = fd == 1 ? wasi_cli_stdout_get_stdout() : wasi_cli_stderr_get_stderr();
    size_t sum = 0;
    bool fine = true;
    for (int32_t i = 0; fine && i < count; i++) {
        fine = write_all(stream, list[i]);
        sum += list[i].length;
    }
    wasi_io_streams_output_stream_drop_own(stream);
    *(size_t *)written = sum;
    return fine ? SUCCESS : PIPE;
}

/* A terminal, so that the library writes whole lines at once. */
int32_t PREVIEW1(fd_fdstat_get)(int32_t fd, int32_t answer) {
    if (fd < 0 || fd > 2) return BADF;
    struct {
        uint8_t type;
        uint16_t flags;
        uint64_t rights, inherited;
    } *stat = (void *)answer;
    memset(stat, 0, sizeof *stat);
    stat->type = 2;
    return SUCCESS;
}

int32_t PREVIEW1(fd_seek)(int32_t fd, int64_t offset, int32_t whence, int32_t answer) {
    (void)offset, (void)whence, (void)answer;
    return fd < 0 || fd > 2 ? BADF : SPIPE;
}

/* The library's own, under the name that all libraries have for it: some do not go through the first preview's. */
int close(int fd);

int close(int fd) {
    return fd < 0 || fd > 2 ? -1 : 0;
}

/* Standard input is at its end. */
int32_t PREVIEW1(fd_read)(int32_t fd, int32_t spans, int32_t count, int32_t read) {
    (void)spans, (void)count;
    *(size_t *)read = 0;
    return fd == 0 ? SUCCESS : BADF;
}

int32_t PREVIEW1(clock_time_get)(int32_t clock, int64_t precision, int32_t answer) {
    (void)precision;
    uint64_t *time = (uint64_t *)answer;
    switch (clock) {
        case 0: {
            wasi_clocks_wall_clock_datetime_t now;
            wasi_clocks_wall_clock_now(&now);
            *time = now.seconds * 1000000000 + now.nanoseconds;
            return SUCCESS;
        }
        case 1: *time = wasi_clocks_monotonic_clock_now(); return SUCCESS;
        default: return INVAL;
    }
}

int32_t PREVIEW1(clock_res_get)(int32_t clock, int32_t answer) {
    *(uint64_t *)answer = 1000;
    return clock == 0 || clock == 1 ? SUCCESS : INVAL;
}

int32_t PREVIEW1(random_get)(int32_t buffer, int32_t length) {
    ph_scope scope = ph_scope_begin();
    wasi_list_u8_t bytes;
    wasi_random_random_get_random_bytes((uint32_t)length, &bytes);
    memcpy((void *)buffer, bytes.ptr, bytes.len);
    ph_scope_end(&scope);
    return bytes.len == (uint32_t)length ? SUCCESS : FAULT;
}

/* There are no variables. */
int32_t PREVIEW1(environ_sizes_get)(int32_t count, int32_t size) {
    *(size_t *)count = 0;
    *(size_t *)size = 0;
    return SUCCESS;
}

int32_t PREVIEW1(environ_get)(int32_t list, int32_t buffer) {
    (void)list, (void)buffer;
    return SUCCESS;
}

int32_t PREVIEW1(sched_yield)(void) {
    return SUCCESS;
}

_Noreturn void PREVIEW1(proc_exit)(int32_t code) {
    ph_panic("the plugin called exit(%d); answer an error instead", (int)code);
}

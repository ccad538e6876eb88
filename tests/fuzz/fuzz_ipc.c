/* Any octets as a frame: refused, or decoded to something that encodes to the same octets. */
#include <assert.h>

#include "ipc/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ipc_msg m;
    struct slice frame = slice_of(data, size);
    if (ipc_decode(frame, &m) != OK || size > LIMIT_IPC_MESSAGE)
        return 0;
    m.fd_count = ipc_shape_of(m.type)->descriptors;
    struct buf again = BUF_INIT(LIMIT_IPC_MESSAGE), text = BUF_INIT(65536);
    assert(ipc_encode(&m, &again) == OK);
    assert(slice_eq(frame, buf_slice(&again)));
    ipc_print(&m, &text);
    buf_done(&again);
    buf_done(&text);
    return 0;
}

"""A server of Python's that staples a statement to its certificate (RFC 6066 8): the library can, Python does not offer it, so
that it is told directly."""
import ctypes
import ctypes.util

SET_CALLBACK, SET_RESPONSE, FINE = 63, 71, 0  # SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, ..._OCSP_RESP, SSL_TLSEXT_ERR_OK
POINTER_AT = object.__basicsize__  # of the library's context in Python's, behind what every object has
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def staple(context, der):
    """Each handshake of the context brings `der` along when it is asked for. Returns what must live as long as the context."""
    library = ctypes.CDLL(ctypes.util.find_library("ssl"))
    crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
    crypto.CRYPTO_malloc.restype = ctypes.c_void_p
    crypto.CRYPTO_malloc.argtypes = [ctypes.c_size_t, ctypes.c_char_p, ctypes.c_int]
    library.SSL_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    library.SSL_CTX_callback_ctrl.argtypes = [ctypes.c_void_p, ctypes.c_int, CALLBACK]

    def bring(ssl, _):
        memory = crypto.CRYPTO_malloc(len(der), b"", 0)  # the library frees it
        ctypes.memmove(memory, der, len(der))
        library.SSL_ctrl(ssl, SET_RESPONSE, len(der), memory)
        return FINE
    callback = CALLBACK(bring)
    pointer = ctypes.c_void_p.from_address(id(context) + POINTER_AT).value
    assert library.SSL_CTX_callback_ctrl(pointer, SET_CALLBACK, callback) == 1
    return callback

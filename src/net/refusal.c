#include "net/refusal.h"

#include <errno.h>

enum err refusal_of_errno(int e)
{
    switch (e) {
    case ECONNREFUSED:
    case EACCES:
    case EPERM:
    case ECONNRESET:
        return ERR_DENIED;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return ERR_NOT_FOUND;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ERR_LIMIT;
    default:
        return ERR_IO;
    }
}

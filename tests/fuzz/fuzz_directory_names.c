/* Answers of name servers, and the machine's own files. */
#include <assert.h>

#include "directory/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned char question[NAMES_PACKET];
    struct ip found[NAMES_FOUND];
    struct names names = {.server_count = 0};
    size_t count = 0, n = names_question("ldap.ours.test", false, 0x1234, question);
    if (names_answer(slice_of(question, n), slice_of(data, size), found, &count) == OK)
        assert(count <= NAMES_FOUND);
    names_read_hosts(&names, slice_of(data, size), S("ldap.ours.test"));
    names_read_servers(&names, slice_of(data, size));
    assert(names.fixed_count <= NAMES_FOUND && names.server_count <= NAMES_SERVERS);
    return 0;
}

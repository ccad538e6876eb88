/* Records and answers of strange name servers: any octets end in a value or an error; a name read is one that may be asked for. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "dns/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void name_again(struct slice name, struct arena *arena)
{
    struct slice again;
    if (name.n == 0)
        return;
    assert(dns_name_of(name, arena, &again) == OK && slice_eq(name, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 18);
    struct buf question CLEANUP_BUF = BUF_INIT(512);
    struct slice all = slice_of(data, size), name;
    struct dns_server servers[DNS_SERVERS];
    struct dns_record record;
    unsigned rcode;
    if (size > 65536)
        return 0;
    for (enum dns_type type = DNS_A; type <= DNS_CNAME; type++)
        if (dns_record_read(type, all, &arena, &record) == OK)
            name_again(record.host, &arena);
    if (dns_name_of(all, &arena, &name) == OK)
        name_again(name, &arena);
    assert(dns_servers_read(all, servers) <= DNS_SERVERS);
    if (dns_server_read(all, servers) == OK)
        assert(servers[0].port);
    struct ip ips[2];
    size_t count = 0;
    if (dns_hosts_find(all, S("a.example"), DNS_A, ips, 2, &count))
        assert(count <= 2);
    probe_question(S("a.example"), 1, size > 1 ? (uint16_t)(data[0] << 8 | data[1]) : 0, false, &question);
    if (probe_answer(all, buf_slice(&question), &rcode) == OK)
        assert(rcode < 16);
    return 0;
}

/* /proc/net's tables and mountinfo: addresses have a text, counts are within the limit. */
#include "agent/linux/procnet.h"
#include "agent/linux/mountinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mln_arena *arena MLN_CLEANUP(mln_arena_free) = mln_arena_new((size_t)64 << 20);
    struct mln_str text = {(const char *)data, size};
    struct mln_sockets sockets = {0};
    struct mln_mounts mounts = {0};
    size_t left_out = 0;
    for (int udp = 0; udp < 2; udp++)
        if (!mln_ok(mln_procnet_read(text, udp, arena, 50, &sockets, &left_out)) || sockets.list.n > 50)
            abort();
    for (size_t i = 0; i < sockets.list.n; i++) {
        char address[MLN_ADDRESS_TEXT];
        if (!mln_socket_address(&sockets.list.at[i], address).n)
            abort();
        mln_socket_is_loopback(&sockets.list.at[i]);
    }
    struct mln_result r = mln_mountinfo_parse(text, arena, &mounts);
    if (mln_ok(r))
        r = mln_fstab_parse(text, arena, &mounts);
    if (!mln_ok(r) && r.code != MLN_E_LIMIT)
        abort();
    return 0;
}

#include "agent/linux/procnet.h"

#include "agent/linux/text.h"

#include <arpa/inet.h>

enum { STATE_LISTEN = 0x0A, STATE_UDP_UNCONNECTED = 0x07 };

static bool hex(struct mln_str text, uint64_t *out)
{
    uint64_t value = 0;
    if (!text.n || text.n > 16)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        const char *digits = "0123456789abcdef", c = text.p[i];
        const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;
        if (!at)
            return false;
        value = value << 4 | (uint64_t)(at - digits);
    }
    *out = value;
    return true;
}

/* "0100007F:0016": words of the machine's own byte order, then the port. */
static bool address_of(struct mln_str text, struct mln_socket *socket)
{
    struct mln_str words, port = text;
    uint64_t number;
    if (!mln_str_cut(&port, ':', &words) || !port.p || !hex(port, &number) || number > UINT16_MAX ||
        (words.n != 8 && words.n != 32))
        return false;
    socket->port = (uint16_t)number;
    socket->family = words.n == 8 ? 4 : 6;
    for (size_t i = 0; i < words.n / 8; i++) {
        if (!hex(mln_str_sub(words, i * 8, i * 8 + 8), &number))
            return false;
        uint32_t word = (uint32_t)number;
        memcpy(socket->address + i * 4, &word, 4);
    }
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (socket->family == 6 && memcmp(socket->address, mapped, sizeof mapped) == 0) {
        memmove(socket->address, socket->address + 12, 4);
        socket->family = 4;
    }
    return true;
}

/* "  0: local remote st tx:rx tr:when retrnsmt uid timeout inode ..." */
static bool socket_of(struct mln_str line, bool udp, struct mln_socket *socket)
{
    struct mln_str words[10];
    uint64_t state, uid;
    for (size_t i = 0; i < 10; i++)
        if (!mln_text_word(&line, &words[i]))
            return false;
    *socket = (struct mln_socket){.udp = udp};
    if (!address_of(words[1], socket) || !hex(words[3], &state) || !mln_ok(mln_str_to_u64(words[7], &uid)) ||
        uid > UINT32_MAX || !mln_ok(mln_str_to_u64(words[9], &socket->inode)))
        return false;
    socket->uid = (uint32_t)uid;
    return state == (udp ? STATE_UDP_UNCONNECTED : STATE_LISTEN);
}

struct mln_result mln_procnet_read(struct mln_str text, bool udp, struct mln_arena *arena, size_t max,
                                   struct mln_sockets *out, size_t *left_out)
{
    struct mln_str line;
    struct mln_socket socket;
    while (mln_text_line(&text, &line, NULL)) {
        if (!socket_of(line, udp, &socket))
            continue;
        if (out->list.n < max)
            MLN_TRY(mln_vec_push(arena, &out->list, socket));
        else
            (*left_out)++;
    }
    return MLN_OK;
}

bool mln_socket_is_loopback(const struct mln_socket *socket)
{
    static const unsigned char one[16] = {[15] = 1};
    return socket->family == 4 ? socket->address[0] == 127 : memcmp(socket->address, one, 16) == 0;
}

struct mln_str mln_socket_address(const struct mln_socket *socket, char out[MLN_ADDRESS_TEXT])
{
    if (!inet_ntop(socket->family == 4 ? AF_INET : AF_INET6, socket->address, out, MLN_ADDRESS_TEXT))
        out[0] = 0;
    return mln_str_c(out);
}

int mln_socket_order(const void *a, const void *b)
{
    const struct mln_socket *x = a, *y = b;
    if (x->udp != y->udp)
        return x->udp ? 1 : -1;
    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    int order = memcmp(x->address, y->address, sizeof x->address);
    return order ? order : (x->inode > y->inode) - (x->inode < y->inode);
}

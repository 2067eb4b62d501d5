#include "api/peers.h"

#include "base/str.h"
#include "base/time.h"

#include <netinet/in.h>
#include <pthread.h>

enum { PLACES = 16384 };

struct mln_peer {
    struct mln_peer *next, **link; /* link: what points here */
    int fd;
    size_t place;   /* of its network */
    int64_t due_ms; /* monotonic; 0: no deadline */
};

struct mln_peers {
    pthread_mutex_t lock;
    struct mln_peer *first;
    size_t count;
    unsigned most_of_a_network;
    unsigned by_network[PLACES]; /* two networks on one place share its room: rare, and only ever stricter */
};

struct mln_result mln_peers_new(unsigned most_of_a_network, struct mln_peers **out)
{
    struct mln_peers *peers = calloc(1, sizeof *peers);
    if (!peers)
        return mln_fail(MLN_E_MEMORY, "no memory for connections");
    peers->most_of_a_network = most_of_a_network;
    pthread_mutex_init(&peers->lock, NULL);
    *out = peers;
    return MLN_OK;
}

void mln_peers_free(struct mln_peers *peers)
{
    if (!peers)
        return;
    pthread_mutex_destroy(&peers->lock);
    free(peers);
}

/* The place of an address's network in the table. */
static size_t place_of(const struct sockaddr *from)
{
    struct mln_str network = MLN_S("");
    const struct sockaddr_in *v4 = (const void *)from;
    const struct sockaddr_in6 *v6 = (const void *)from;
    if (from->sa_family == AF_INET)
        network = (struct mln_str){(const char *)&v4->sin_addr, sizeof v4->sin_addr};
    else if (from->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        network = (struct mln_str){(const char *)&v6->sin6_addr.s6_addr[12], 4};
    else if (from->sa_family == AF_INET6)
        network = (struct mln_str){(const char *)&v6->sin6_addr, 8};
    return mln_str_hash(network) % PLACES;
}

bool mln_peers_admit(struct mln_peers *peers, const struct sockaddr *from)
{
    pthread_mutex_lock(&peers->lock);
    bool room = peers->by_network[place_of(from)] < peers->most_of_a_network;
    pthread_mutex_unlock(&peers->lock);
    return room;
}

static int64_t due_in(int64_t deadline_ms)
{
    return deadline_ms ? mln_monotonic_ms() + deadline_ms : 0;
}

struct mln_peer *mln_peers_add(struct mln_peers *peers, int fd, const struct sockaddr *from, int64_t deadline_ms)
{
    struct mln_peer *peer = calloc(1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->fd = fd;
    peer->place = place_of(from);
    peer->due_ms = due_in(deadline_ms);
    pthread_mutex_lock(&peers->lock);
    peer->next = peers->first;
    peer->link = &peers->first;
    if (peer->next)
        peer->next->link = &peer->next;
    peers->first = peer;
    peers->count++;
    peers->by_network[peer->place]++;
    pthread_mutex_unlock(&peers->lock);
    return peer;
}

void mln_peers_remove(struct mln_peers *peers, struct mln_peer *peer)
{
    pthread_mutex_lock(&peers->lock);
    *peer->link = peer->next;
    if (peer->next)
        peer->next->link = peer->link;
    peers->count--;
    peers->by_network[peer->place]--;
    pthread_mutex_unlock(&peers->lock);
    free(peer);
}

void mln_peers_allow(struct mln_peers *peers, struct mln_peer *peer, int64_t deadline_ms)
{
    pthread_mutex_lock(&peers->lock);
    peer->due_ms = due_in(deadline_ms);
    pthread_mutex_unlock(&peers->lock);
}

size_t mln_peers_reap(struct mln_peers *peers)
{
    size_t reaped = 0;
    int64_t now = mln_monotonic_ms();
    pthread_mutex_lock(&peers->lock);
    for (struct mln_peer *peer = peers->first; peer; peer = peer->next)
        if (peer->due_ms && peer->due_ms <= now) {
            shutdown(peer->fd, SHUT_RDWR); /* the server's thread sees the end and closes it */
            peer->due_ms = 0;
            reaped++;
        }
    pthread_mutex_unlock(&peers->lock);
    return reaped;
}

size_t mln_peers_count(struct mln_peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    size_t count = peers->count;
    pthread_mutex_unlock(&peers->lock);
    return count;
}

#include "wire/flow.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "wire/reader.h"

#include <stdlib.h>

enum { BUCKETS = 1 << 14, HEAD_BYTES_MAX = 64, GUESSES_MAX = 16, FLOW_REUSE_US = 1000000 };

static const char lost_packets[] = "packets of the connection are missing";
static const char cut_packets[] = "packets were captured in part only";
static const char forgotten[] = "too many connections at once: the one that was silent longest is left";

/* A segment that waits. */
struct segment {
    struct segment *next;
    uint32_t sequence, acknowledged;
    bool is_acknowledging;
    int64_t time_us;
    uint64_t offset;
    size_t missing, len;
    char bytes[];
};

/* What one end sends. */
struct half {
    bool is_started; /* `next` is known */
    bool has_fin, is_finished;
    uint32_t next; /* the sequence number that comes next */
    uint32_t fin;
    struct segment *first, *last;
    size_t waiting_bytes, waiting_count;
    struct buf head; /* its first bytes, until it is known what the connection is */
    int64_t head_time_us;
    uint64_t head_offset;
};

enum flow_state {
    FLOW_UNKNOWN,
    FLOW_DECODED,
    FLOW_IGNORED, /* neither protocol */
    FLOW_CLOSED,  /* kept, so that what is sent again late is no new connection */
};

struct flow {
    struct flow *next;           /* of its bucket */
    struct flow *older, *newer;  /* by the last packet */
    struct packet_end ends[2];
    uint64_t hash;
    enum flow_state state;
    bool is_opened;  /* its SYN was seen */
    int client;      /* which end; -1: not known yet */
    unsigned guesses;
    struct half halves[2];
    struct wire_connection *wire;
    size_t byte_size; /* as counted in flows->byte_size */
    int64_t wait_began_us;
    unsigned wait_packets; /* 0: nothing waits */
    int64_t time_us;
    uint64_t offset;
};

struct flows {
    const struct trace_sink *sink;
    struct str file;
    uint16_t server_port;
    struct flow **buckets;
    struct flow *oldest, *newest;
    size_t count, byte_size;
    uint64_t sessions;
};

struct flows *flows_open(const struct trace_sink *sink, struct str file, uint16_t server_port) {
    struct flows *flows = mem_alloc(sizeof(*flows));
    *flows = (struct flows){.sink = sink, .file = file, .server_port = server_port};
    flows->buckets = mem_alloc(BUCKETS * sizeof(struct flow *));
    memset(flows->buckets, 0, BUCKETS * sizeof(struct flow *));
    return flows;
}

/* --- what the connection is --- */

static uint16_t port_of(const struct packet_end *end) {
    return (uint16_t)(end->port[0] << 8 | end->port[1]);
}

static bool protocol_of_port(uint16_t port, enum wire_protocol *protocol) {
    *protocol = port == 5432 || port == 6432 ? WIRE_POSTGRESQL : WIRE_MYSQL;
    return port == 5432 || port == 6432 || port == 3306 || port == 3307 || port == 6033;
}

static void begin_decoding(struct flows *flows, struct flow *flow, enum wire_protocol protocol) {
    struct wire_source source = {
        .sink = flows->sink,
        .file = flows->file,
        .session = ++flows->sessions,
        .is_midway = !flow->is_opened,
    };
    LW_ASSERT(flow->client >= 0);
    flow->wire = wire_open(protocol, &source);
    flow->state = FLOW_DECODED;
    /* What was read to find out: PostgreSQL's client speaks first, MySQL's server does. */
    for (int i = 0; i < 2; i++) {
        enum wire_side side = (protocol == WIRE_POSTGRESQL || !flow->is_opened) == (i == 0) ? WIRE_CLIENT : WIRE_SERVER;
        struct half *half = &flow->halves[side == WIRE_CLIENT ? flow->client : !flow->client];
        wire_feed(flow->wire, side, buf_str(&half->head), half->head_time_us, half->head_offset);
        buf_release(&half->head);
    }
}

/* By what one end sent first. */
static bool guess(const struct flow *flow, int end, enum wire_protocol *protocol, int *client) {
    struct str head = buf_str(&flow->halves[end].head);
    enum wire_side sender;
    if (wire_guess(head, protocol, &sender)) {
        *client = sender == WIRE_CLIENT ? end : !end;
        return flow->client < 0 || flow->client == *client;
    }
    if (flow->is_opened || (flow->client >= 0 && flow->client != end))
        return false;
    *client = end;
    return wire_guess_command(head, protocol);
}

static void find_out(struct flows *flows, struct flow *flow, int end) {
    enum wire_protocol protocol;
    int client;
    struct half *half = &flow->halves[end];
    if (guess(flow, end, &protocol, &client)) {
        flow->client = client;
        begin_decoding(flows, flow, protocol);
        return;
    }
    bool is_enough = half->head.len >= WIRE_GUESS_BYTES;
    if (!flow->is_opened && is_enough) {
        buf_clear(&half->head); /* not a command yet: the next may be */
        is_enough = ++flow->guesses >= GUESSES_MAX;
    }
    if (!is_enough)
        return;
    flow->state = FLOW_IGNORED;
    buf_release(&flow->halves[0].head);
    buf_release(&flow->halves[1].head);
}

/* Ports tell which end is the server, if the connection's beginning was not seen, and what it speaks. */
static void look_at_ports(struct flows *flows, struct flow *flow) {
    for (int end = 0; end < 2 && flow->state == FLOW_UNKNOWN; end++) {
        enum wire_protocol protocol;
        uint16_t port = port_of(&flow->ends[end]);
        if (flow->client == end)
            continue;
        if (flows->server_port != 0) {
            if (port != flows->server_port)
                continue;
            flow->client = !end;
            if (protocol_of_port(port, &protocol))
                begin_decoding(flows, flow, protocol);
            return;
        }
        if (protocol_of_port(port, &protocol)) {
            flow->client = !end;
            begin_decoding(flows, flow, protocol);
        }
    }
    if (flows->server_port != 0 && flow->state == FLOW_UNKNOWN)
        flow->state = FLOW_IGNORED;
}

/* --- bytes in order --- */

static int32_t distance(uint32_t from, uint32_t to) {
    return (int32_t)(to - from);
}

static void give(struct flows *flows, struct flow *flow, int end, struct str bytes, int64_t time_us,
                 uint64_t offset) {
    if (flow->state == FLOW_DECODED) {
        wire_feed(flow->wire, end == flow->client ? WIRE_CLIENT : WIRE_SERVER, bytes, time_us, offset);
    } else if (flow->state == FLOW_UNKNOWN && bytes.len > 0) {
        struct half *half = &flow->halves[end];
        if (half->head.len == 0) {
            half->head_time_us = time_us;
            half->head_offset = offset;
        }
        if (half->head.len < HEAD_BYTES_MAX)
            buf_add(&half->head, bytes);
        find_out(flows, flow, end);
    }
}

static void lose(struct flow *flow, uint64_t byte_count, const char *reason, int64_t time_us,
                 uint64_t offset) {
    if (flow->state == FLOW_DECODED)
        wire_lost(flow->wire, byte_count, reason, time_us, offset);
}

/* The part of [sequence, sequence + len) that was not given yet. */
static void deliver(struct flows *flows, struct flow *flow, int end, const struct segment *s,
                    struct str bytes) {
    struct half *half = &flow->halves[end];
    size_t known = (size_t)-distance(half->next, s->sequence);
    size_t total = bytes.len + s->missing;
    if (known >= total)
        return;
    if (known < bytes.len)
        give(flows, flow, end, str_sub(bytes, known, bytes.len), s->time_us, s->offset);
    if (s->missing > 0) {
        size_t from = known > bytes.len ? known : bytes.len;
        lose(flow, total - from, cut_packets, s->time_us, s->offset);
    }
    half->next = s->sequence + (uint32_t)total;
}

static bool is_ready(const struct flow *flow, int end, const struct segment *s) {
    const struct half *half = &flow->halves[end], *other = &flow->halves[!end];
    return distance(half->next, s->sequence) <= 0 &&
           (!s->is_acknowledging || !other->is_started || distance(other->next, s->acknowledged) <= 0);
}

static void finish(struct flow *flow, int end) {
    struct half *half = &flow->halves[end];
    if (!half->has_fin || half->is_finished || distance(half->fin, half->next) < 0)
        return;
    half->is_finished = true;
    half->next = half->fin + 1;
}

static bool deliver_first(struct flows *flows, struct flow *flow, int end) {
    struct half *half = &flow->halves[end];
    struct segment *s = half->first;
    if (s == NULL || !is_ready(flow, end, s))
        return false;
    half->first = s->next;
    if (half->first == NULL)
        half->last = NULL;
    half->waiting_bytes -= s->len;
    half->waiting_count--;
    flows->byte_size -= sizeof(*s) + s->len;
    deliver(flows, flow, end, s, (struct str){s->bytes, s->len});
    free(s);
    return true;
}

static void deliver_all(struct flows *flows, struct flow *flow) {
    bool is_more = true;
    while (is_more) {
        finish(flow, 0);
        finish(flow, 1);
        is_more = deliver_first(flows, flow, 0) || deliver_first(flows, flow, 1);
    }
    if (flow->halves[0].first == NULL && flow->halves[1].first == NULL)
        flow->wait_packets = 0;
}

/* What comes next of one side never will: the hole that holds up most is passed over. */
static void pass_hole(struct flows *flows, struct flow *flow) {
    int end = flow->halves[0].first != NULL ? 0 : 1;
    for (int i = 0; i < 2; i++)
        if (flow->halves[i].first != NULL && distance(flow->halves[i].next, flow->halves[i].first->sequence) > 0)
            end = i;
    struct half *half = &flow->halves[end];
    const struct segment *s = half->first;
    LW_ASSERT(s != NULL);
    int32_t hole = distance(half->next, s->sequence);
    uint32_t to = s->sequence;
    if (hole <= 0) { /* it waits for the other side, of which nothing is there */
        half = &flow->halves[!end];
        to = s->acknowledged;
        hole = distance(half->next, to);
    }
    lose(flow, hole > 0 ? (uint64_t)hole : 0, lost_packets, s->time_us, s->offset);
    half->next = to;
    half->is_started = true;
    deliver_all(flows, flow);
}

static void pass_all_holes(struct flows *flows, struct flow *flow) {
    while (flow->halves[0].first != NULL || flow->halves[1].first != NULL)
        pass_hole(flows, flow);
}

static void wait_for(struct flows *flows, struct flow *flow, int end, const struct segment *head,
                     struct str payload) {
    struct half *half = &flow->halves[end];
    struct segment **at = &half->first;
    if (half->last != NULL && distance(half->last->sequence, head->sequence) > 0)
        at = &half->last->next;
    while (*at != NULL && distance((*at)->sequence, head->sequence) > 0)
        at = &(*at)->next;
    if (*at != NULL && (*at)->sequence == head->sequence && (*at)->len >= payload.len)
        return; /* sent again */
    struct segment *s = mem_alloc(sizeof(*s) + payload.len);
    *s = *head;
    s->len = payload.len;
    memcpy(s->bytes, payload.ptr, payload.len);
    s->next = *at;
    *at = s;
    if (s->next == NULL)
        half->last = s;
    half->waiting_bytes += s->len;
    half->waiting_count++;
    flows->byte_size += sizeof(*s) + s->len;
    if (flow->wait_packets == 0) {
        flow->wait_packets = 1;
        flow->wait_began_us = head->time_us;
    }
}

static void check_wait(struct flows *flows, struct flow *flow) {
    const struct half *halves = flow->halves;
    while (flow->wait_packets > 0 &&
           (flow->wait_packets > FLOW_WAIT_PACKETS ||
            flow->time_us - flow->wait_began_us > FLOW_WAIT_US ||
            halves[0].waiting_bytes + halves[1].waiting_bytes > FLOW_WAIT_BYTES)) {
        pass_hole(flows, flow);
        if (flow->wait_packets > 0) {
            flow->wait_packets = 1;
            flow->wait_began_us = flow->time_us;
        }
    }
}

/* --- the table --- */

static uint64_t hash_of(const struct packet *packet) {
    /* The same for both directions. */
    struct str from = {(const char *)&packet->from, sizeof(packet->from)};
    struct str to = {(const char *)&packet->to, sizeof(packet->to)};
    return str_hash(from) + str_hash(to);
}

static bool same_end(const struct packet_end *a, const struct packet_end *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

static struct flow *find_flow(const struct flows *flows, const struct packet *packet, uint64_t hash) {
    struct flow *flow = flows->buckets[hash % BUCKETS];
    for (; flow != NULL; flow = flow->next) {
        if (flow->hash != hash)
            continue;
        if ((same_end(&flow->ends[0], &packet->from) && same_end(&flow->ends[1], &packet->to)) ||
            (same_end(&flow->ends[0], &packet->to) && same_end(&flow->ends[1], &packet->from)))
            return flow;
    }
    return NULL;
}

static void unlink_age(struct flows *flows, struct flow *flow) {
    *(flow->older != NULL ? &flow->older->newer : &flows->oldest) = flow->newer;
    *(flow->newer != NULL ? &flow->newer->older : &flows->newest) = flow->older;
}

static void link_newest(struct flows *flows, struct flow *flow) {
    flow->older = flows->newest;
    flow->newer = NULL;
    *(flows->newest != NULL ? &flows->newest->newer : &flows->oldest) = flow;
    flows->newest = flow;
}

static void count_bytes(struct flows *flows, struct flow *flow) {
    size_t byte_size = sizeof(*flow) + (flow->wire != NULL ? wire_byte_size(flow->wire) : 0);
    flows->byte_size += byte_size - flow->byte_size;
    flow->byte_size = byte_size;
}

static void drop_waiting(struct flows *flows, struct flow *flow) {
    for (int end = 0; end < 2; end++) {
        struct half *half = &flow->halves[end];
        while (half->first != NULL) {
            struct segment *s = half->first;
            half->first = s->next;
            flows->byte_size -= sizeof(*s) + s->len;
            free(s);
        }
        half->last = NULL;
        buf_release(&half->head);
    }
}

static void remove_flow(struct flows *flows, struct flow *flow) {
    struct flow **at = &flows->buckets[flow->hash % BUCKETS];
    while (*at != flow)
        at = &(*at)->next;
    *at = flow->next;
    unlink_age(flows, flow);
    drop_waiting(flows, flow);
    if (flow->wire != NULL)
        wire_close(flow->wire);
    flows->byte_size -= flow->byte_size;
    flows->count--;
    free(flow);
}

static void end_flow(struct flows *flows, struct flow *flow, bool is_closed) {
    pass_all_holes(flows, flow);
    if (flow->wire != NULL)
        wire_end(flow->wire, flow->time_us, flow->offset, is_closed);
    remove_flow(flows, flow);
}

static void close_flow(struct flows *flows, struct flow *flow) {
    pass_all_holes(flows, flow);
    if (flow->wire != NULL) {
        wire_end(flow->wire, flow->time_us, flow->offset, true);
        wire_close(flow->wire);
    }
    flow->wire = NULL;
    drop_waiting(flows, flow);
    flow->wait_packets = 0;
    flow->state = FLOW_CLOSED;
    count_bytes(flows, flow);
}

static void make_room(struct flows *flows, const struct flow *kept) {
    while ((flows->count > FLOWS_MAX || flows->byte_size > FLOWS_BYTES_MAX) && flows->oldest != kept) {
        struct flow *flow = flows->oldest;
        pass_all_holes(flows, flow);
        lose(flow, 0, forgotten, flow->time_us, flow->offset);
        end_flow(flows, flow, false);
    }
}

static struct flow *new_flow(struct flows *flows, const struct packet *packet, uint64_t hash) {
    struct flow *flow = mem_alloc(sizeof(*flow));
    struct flow **bucket = &flows->buckets[hash % BUCKETS];
    *flow = (struct flow){
        .next = *bucket,
        .ends = {packet->from, packet->to},
        .hash = hash,
        .client = -1,
        .time_us = -1,
    };
    *bucket = flow;
    link_newest(flows, flow);
    flows->count++;
    if (packet->flags & PACKET_SYN) {
        flow->is_opened = true;
        flow->client = packet->flags & PACKET_ACK ? 1 : 0;
    }
    look_at_ports(flows, flow);
    count_bytes(flows, flow);
    return flow;
}

/* A SYN on a connection that is there: the same ports are used again, with a later number (RFC 6528), unless the SYN was only sent
 * again. */
static bool is_new_connection(const struct flow *flow, int end, const struct packet *packet, int64_t time_us) {
    const struct half *half = &flow->halves[end];
    bool is_first = (packet->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
    bool is_later = distance(half->next, packet->sequence) > 0 || time_us - flow->time_us > FLOW_REUSE_US;
    return is_first && half->is_started && distance(half->next, packet->sequence + 1) != 0 && is_later;
}

static void note_flags(struct flow *flow, int end, const struct packet *packet) {
    struct half *half = &flow->halves[end], *other = &flow->halves[!end];
    if (!half->is_started) {
        half->is_started = true;
        half->next = packet->sequence + (packet->flags & PACKET_SYN ? 1 : 0);
    }
    if (packet->flags & PACKET_ACK && !other->is_started && !(packet->flags & PACKET_RST)) {
        other->is_started = true;
        other->next = packet->acknowledged;
    }
    if (packet->flags & PACKET_FIN && !half->has_fin) {
        half->has_fin = true;
        half->fin = packet->sequence + (uint32_t)(packet->payload.len + packet->missing);
    }
}

static void add_payload(struct flows *flows, struct flow *flow, int end, const struct packet *packet) {
    struct half *half = &flow->halves[end];
    struct segment s = {
        .sequence = packet->sequence + (packet->flags & PACKET_SYN ? 1 : 0),
        .acknowledged = packet->acknowledged,
        .is_acknowledging = (packet->flags & PACKET_ACK) != 0,
        .time_us = flow->time_us,
        .offset = flow->offset,
        .missing = packet->missing,
    };
    size_t total = packet->payload.len + packet->missing;
    if (flow->state == FLOW_IGNORED || flow->state == FLOW_CLOSED || total == 0 || half->is_finished ||
        distance(half->next, s.sequence + (uint32_t)total) <= 0)
        return;
    if (half->first == NULL && is_ready(flow, end, &s))
        deliver(flows, flow, end, &s, packet->payload);
    else
        wait_for(flows, flow, end, &s, packet->payload);
}

void flows_add(struct flows *flows, const struct packet *packet, int64_t time_us, uint64_t offset) {
    uint64_t hash = hash_of(packet);
    struct flow *flow = find_flow(flows, packet, hash);
    int end = flow != NULL && same_end(&flow->ends[1], &packet->from) && !same_end(&flow->ends[0], &packet->from);
    if (flow != NULL && is_new_connection(flow, end, packet, time_us)) {
        end_flow(flows, flow, true);
        flow = NULL;
    }
    if (flow == NULL) {
        if (packet->flags & PACKET_RST || (packet->payload.len + packet->missing == 0 && !(packet->flags & PACKET_SYN)))
            return;
        flow = new_flow(flows, packet, hash);
        end = 0;
    }
    flow->time_us = time_us;
    flow->offset = offset;
    flow->wait_packets += flow->wait_packets > 0;
    unlink_age(flows, flow);
    link_newest(flows, flow);
    note_flags(flow, end, packet);
    add_payload(flows, flow, end, packet);
    deliver_all(flows, flow);
    check_wait(flows, flow);
    count_bytes(flows, flow);
    if (packet->flags & PACKET_RST || (flow->halves[0].is_finished && flow->halves[1].is_finished))
        close_flow(flows, flow);
    make_room(flows, flow);
}

void flows_next_file(struct flows *flows, struct str file) {
    flows->file = file;
    for (struct flow *flow = flows->oldest; flow != NULL; flow = flow->newer)
        if (flow->wire != NULL)
            wire_go_on_in(flow->wire, file);
}

void flows_end(struct flows *flows) {
    while (flows->oldest != NULL)
        end_flow(flows, flows->oldest, false);
}

void flows_close(struct flows *flows) {
    while (flows->oldest != NULL)
        remove_flow(flows, flows->oldest);
    free(flows->buckets);
    free(flows);
}

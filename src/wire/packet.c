#include "wire/packet.h"

#include "wire/reader.h"

enum {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW_BSD = 12,
    LINK_RAW_OPENBSD = 14,
    LINK_RAW = 101,
    LINK_LOOP = 108,
    LINK_LINUX_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229,
    LINK_LINUX_SLL2 = 276,
};

enum {
    ETHER_IPV4 = 0x0800,
    ETHER_IPV6 = 0x86dd,
    ETHER_VLAN = 0x8100,
    ETHER_QINQ = 0x88a8,
    ETHER_QINQ_OLD = 0x9100,
    PROTOCOL_TCP = 6,
    IP_MORE_FRAGMENTS = 0x2000,
    IP_FRAGMENT_OFFSET = 0x1fff,
};

enum { NEXT_HOP_BY_HOP = 0, NEXT_ROUTING = 43, NEXT_FRAGMENT = 44, NEXT_AUTH = 51, NEXT_NONE = 59,
       NEXT_DESTINATION = 60, NEXT_MOBILITY = 135 };

static enum packet_kind read_tcp(struct reader *reader, uint64_t ip_payload, struct packet *packet) {
    struct str ports = read_bytes(reader, 4);
    packet->sequence = (uint32_t)read_be(reader, 4);
    packet->acknowledged = (uint32_t)read_be(reader, 4);
    size_t header = (size_t)(read_byte(reader) >> 4) * 4;
    packet->flags = read_byte(reader);
    read_bytes(reader, 6); /* window, checksum, urgent pointer */
    if (reader->is_short || header < 20 || header > ip_payload)
        return PACKET_CUT;
    memcpy(packet->from.port, ports.ptr, 2);
    memcpy(packet->to.port, ports.ptr + 2, 2);
    read_bytes(reader, header - 20);
    if (reader->is_short)
        return PACKET_CUT;
    size_t total = (size_t)ip_payload - header, left = reader_left(reader);
    packet->payload = read_bytes(reader, total < left ? total : left);
    packet->missing = total - packet->payload.len;
    return PACKET_TCP;
}

static void set_ipv4(struct packet_end *end, struct str address) {
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(end->address, mapped, sizeof(mapped));
    memcpy(end->address + 12, address.ptr, 4);
}

static enum packet_kind read_ipv4(struct reader *reader, struct packet *packet) {
    size_t captured = reader_left(reader);
    size_t header = (size_t)(read_byte(reader) & 15) * 4;
    read_byte(reader);
    size_t total = (size_t)read_be(reader, 2);
    read_be(reader, 2);
    uint64_t fragment = read_be(reader, 2);
    read_byte(reader);
    uint8_t protocol = read_byte(reader);
    read_be(reader, 2);
    struct str from = read_bytes(reader, 4), to = read_bytes(reader, 4);
    if (reader->is_short || header < 20)
        return PACKET_CUT;
    if (protocol != PROTOCOL_TCP)
        return PACKET_OTHER;
    if (fragment & (IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET))
        return PACKET_FRAGMENT;
    if (total == 0) /* the card cuts it into packets: the captured one has no length yet */
        total = captured;
    set_ipv4(&packet->from, from);
    set_ipv4(&packet->to, to);
    read_bytes(reader, header - 20);
    if (reader->is_short || total < header)
        return PACKET_CUT;
    return read_tcp(reader, total - header, packet);
}

static enum packet_kind read_ipv6(struct reader *reader, struct packet *packet) {
    read_be(reader, 4);
    uint64_t left = read_be(reader, 2);
    uint8_t next = read_byte(reader);
    read_byte(reader);
    struct str from = read_bytes(reader, 16), to = read_bytes(reader, 16);
    if (reader->is_short)
        return PACKET_CUT;
    memcpy(packet->from.address, from.ptr, 16);
    memcpy(packet->to.address, to.ptr, 16);
    if (left == 0)
        left = reader_left(reader);
    while (next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT ||
           next == NEXT_AUTH || next == NEXT_DESTINATION || next == NEXT_MOBILITY) {
        uint8_t kind = next;
        next = read_byte(reader);
        uint64_t words = read_byte(reader);
        if (kind == NEXT_FRAGMENT && next == PROTOCOL_TCP && read_be(reader, 2) & 0xfff9)
            return PACKET_FRAGMENT;
        uint64_t size = kind == NEXT_FRAGMENT ? 8 : kind == NEXT_AUTH ? (words + 2) * 4 : (words + 1) * 8;
        read_bytes(reader, size - (kind == NEXT_FRAGMENT && next == PROTOCOL_TCP ? 4 : 2));
        if (reader->is_short || size > left)
            return PACKET_CUT;
        left -= size;
    }
    return next == PROTOCOL_TCP ? read_tcp(reader, left, packet) : PACKET_OTHER;
}

static enum packet_kind read_ip(struct reader *reader, struct packet *packet) {
    if (reader_left(reader) == 0)
        return PACKET_CUT;
    unsigned version = *reader->at >> 4;
    return version == 4 ? read_ipv4(reader, packet) : version == 6 ? read_ipv6(reader, packet) : PACKET_OTHER;
}

static enum packet_kind read_ether_type(struct reader *reader, struct packet *packet) {
    uint64_t type = read_be(reader, 2);
    for (int tags = 0; tags < 4 && (type == ETHER_VLAN || type == ETHER_QINQ || type == ETHER_QINQ_OLD); tags++) {
        read_be(reader, 2);
        type = read_be(reader, 2);
    }
    if (reader->is_short)
        return PACKET_CUT;
    return type == ETHER_IPV4 || type == ETHER_IPV6 ? read_ip(reader, packet) : PACKET_OTHER;
}

enum packet_kind packet_read(uint32_t link_type, struct str bytes, struct packet *packet) {
    struct reader reader = reader_of(bytes);
    *packet = (struct packet){.flags = 0};
    switch (link_type) {
    case LINK_ETHERNET:
        read_bytes(&reader, 12);
        return read_ether_type(&reader, packet);
    case LINK_LINUX_SLL:
        read_bytes(&reader, 14);
        return read_ether_type(&reader, packet);
    case LINK_LINUX_SLL2: {
        struct reader type = reader;
        read_bytes(&reader, 20);
        uint64_t protocol = read_be(&type, 2);
        if (reader.is_short)
            return PACKET_CUT;
        return protocol == ETHER_IPV4 || protocol == ETHER_IPV6 ? read_ip(&reader, packet) : PACKET_OTHER;
    }
    case LINK_NULL:
    case LINK_LOOP:
        read_bytes(&reader, 4); /* the address family, which the IP header says again */
        return reader.is_short ? PACKET_CUT : read_ip(&reader, packet);
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return read_ip(&reader, packet);
    default:
        return PACKET_UNKNOWN_LINK;
    }
}

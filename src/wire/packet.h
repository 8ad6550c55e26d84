/* One captured packet: what its link, IP and TCP headers say. */
#ifndef LW_WIRE_PACKET_H
#define LW_WIRE_PACKET_H

#include "base/str.h"

/* An end of a connection: an address (IPv4 as ::ffff:a.b.c.d) and a port, as they stand in the packet. */
struct packet_end {
    unsigned char address[16];
    unsigned char port[2];
};

enum { PACKET_FIN = 1, PACKET_SYN = 2, PACKET_RST = 4, PACKET_ACK = 16 };

struct packet {
    struct packet_end from, to;
    uint32_t sequence, acknowledged;
    uint8_t flags;
    struct str payload;
    size_t missing; /* bytes of the payload that were not captured */
};

enum packet_kind {
    PACKET_TCP,
    PACKET_OTHER,    /* not TCP */
    PACKET_FRAGMENT, /* of a TCP segment: not put together */
    PACKET_CUT,      /* headers that were not captured whole, or are malformed */
    PACKET_UNKNOWN_LINK,
};

/* `link_type`: of the pcap file format's list (LINKTYPE_). */
enum packet_kind packet_read(uint32_t link_type, struct str bytes, struct packet *packet);

#endif

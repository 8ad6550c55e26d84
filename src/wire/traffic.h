/* Traffic as a proxy saw it, in one stream: what it hands to the process that decodes, and what it writes for a later reading.
 *
 * The stream begins with the 16 bytes of TRAFFIC_MAGIC. Then frames, each TRAFFIC_HEADER_BYTES of header, little-endian, and
 * its bytes:
 *
 *     offset  bytes
 *          0      4  TRAFFIC_SYNC
 *          4      1  what: enum traffic_kind
 *          5      3  length of what follows the header (of TRAFFIC_LOST: 0)
 *          8      8  number of the connection, from 1
 *         16      8  microseconds since 1970-01-01 UTC
 *         24      8  TRAFFIC_LOST: how many bytes of both sides are missing; else 0
 *
 * TRAFFIC_OPEN has one byte: 'P' PostgreSQL, 'M' MySQL or MariaDB, '?' found by looking. A change that a reader of this version would
 * misread gets another magic.
 */
#ifndef LW_WIRE_TRAFFIC_H
#define LW_WIRE_TRAFFIC_H

#include "trace/decoder.h"

#define TRAFFIC_MAGIC "lostwrite-wire1\n"
#define TRAFFIC_SYNC 0xf6a1574cu

enum { TRAFFIC_MAGIC_BYTES = 16, TRAFFIC_HEADER_BYTES = 32, TRAFFIC_FRAME_BYTES_MAX = 1 << 16 };

enum traffic_kind { TRAFFIC_OPEN = 1, TRAFFIC_CLIENT, TRAFFIC_SERVER, TRAFFIC_LOST, TRAFFIC_CLOSE };

struct traffic_frame {
    enum traffic_kind kind;
    uint32_t len;
    uint64_t connection;
    int64_t time_us;
    uint64_t lost_bytes;
};

void traffic_put_header(const struct traffic_frame *frame, unsigned char header[TRAFFIC_HEADER_BYTES]);

extern const struct trace_decoder_class traffic_decoder;

#endif

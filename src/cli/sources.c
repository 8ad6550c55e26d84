#include "cli/sources.h"

#include "base/assert.h"
#include "binlog/binlog.h"
#include "logs/logs.h"
#include "pgoutput/pgoutput.h"
#include "trace/jsonl.h"
#include "wire/traffic.h"
#include "wire/wire.h"

/* To add a kind: write its `struct trace_decoder_class` in a folder of its own, and put it here. */
const struct trace_decoder_class *const source_classes[] = {
    &logs_postgresql_stderr, &logs_postgresql_csv, &logs_postgresql_json, &logs_mysql_general,
    &logs_mysql_slow,        &binlog_decoder,      &pcap_decoder,        &traffic_decoder,
    &pgoutput_decoder,       &trace_jsonl_decoder,
};

const size_t source_class_count = LW_COUNT_OF(source_classes);

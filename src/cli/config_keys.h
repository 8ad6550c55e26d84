/* The keys of a configuration. Private to config.c.
 */
#ifndef LW_CLI_CONFIG_KEYS_H
#define LW_CLI_CONFIG_KEYS_H

#include "cli/config.h"
#include "toml/toml.h"

/* Reads the table, of `text`, into `config`. False, with the place but without a path, at the first thing that is wrong. */
bool config_read_keys(struct config *config, struct str text, const struct toml_value *table,
                      struct err *err);

#endif

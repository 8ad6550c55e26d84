/* Which apps of django.contrib a project uses: those it names. */
#define _GNU_SOURCE /* memmem */
#include "django/contrib.h"

#include "base/assert.h"
#include "django/facts.h"
#include "python/parse.h"

static const struct app {
    const char *name;
    const char *words[7];  /* any of these in the project's text brings it */
    const char *modules[2]; /* where its models are imported from */
    const char *needs[2];
} apps[] = {
    {"admin", {"contrib.admin.models", "\"admin.LogEntry", "'admin.LogEntry"},
     {"django.contrib.admin.models"}, {"auth", "contenttypes"}},
    {"auth",
     {"contrib.auth.models", "contrib.auth.base_user", "contrib.auth import models", "AUTH_USER_MODEL",
      "get_user_model", "\"auth.", "'auth."},
     {"django.contrib.auth.models", "django.contrib.auth.base_user"}, {"contenttypes"}},
    {"contenttypes",
     {"contrib.contenttypes.models", "contrib.contenttypes import models", "\"contenttypes.", "'contenttypes.",
      "\"contenttypes\",", "'contenttypes',"},
     {"django.contrib.contenttypes.models"}, {0}},
    {"sessions", {"contrib.sessions.models", "contrib.sessions.base_session", "\"sessions.", "'sessions."},
     {"django.contrib.sessions.models", "django.contrib.sessions.base_session"}, {0}},
    {"sites", {"contrib.sites.models", "\"sites.", "'sites."}, {"django.contrib.sites.models"}, {0}},
};

static bool has_text(const struct module *module, const char *word) {
    return memmem(module->text.ptr, module->text.len, word, strlen(word)) != NULL;
}

static bool is_named(const struct django_facts *facts, const struct app *app) {
    for (size_t i = 0; i < facts->modules.count; i++)
        for (size_t k = 0; k < LW_COUNT_OF(app->words) && app->words[k] != NULL; k++)
            if (has_text(facts->modules.items[i], app->words[k]))
                return true;
    return false;
}

static struct str text_of(const char *app) {
    for (size_t i = 0; i < contrib_texts_count; i++)
        if (strcmp(contrib_texts[i].app, app) == 0)
            return (struct str){contrib_texts[i].text, contrib_texts[i].byte_size};
    LW_UNREACHABLE();
}

static void add_app(struct django_facts *facts, const struct app *app) {
    if (map_has(&facts->contrib, str_from_c(app->modules[0])))
        return;
    struct module *module = ARENA_NEW(facts->arena, struct module);
    module->name = str_from_c(app->modules[0]);
    module->path = module->full_path = str_printf(facts->arena, "django/contrib/%s/models.py", app->name);
    module->text = text_of(app->name);
    module->is_contrib = true;
    module->py = py_parse(facts->arena, module->text);
    LW_ASSERT(module->py->error_count == 0);
    for (size_t i = 0; i < LW_COUNT_OF(app->modules) && app->modules[i] != NULL; i++)
        map_put(&facts->contrib, str_from_c(app->modules[i]), module);
    for (size_t i = 0; i < LW_COUNT_OF(app->needs) && app->needs[i] != NULL; i++)
        for (size_t k = 0; k < LW_COUNT_OF(apps); k++)
            if (strcmp(apps[k].name, app->needs[i]) == 0)
                add_app(facts, &apps[k]);
    module_bind(facts, module);
}

void contrib_add(struct django_facts *facts) {
    for (size_t i = 0; i < LW_COUNT_OF(apps); i++)
        if (is_named(facts, &apps[i]))
            add_app(facts, &apps[i]);
}

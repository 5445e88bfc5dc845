/* Slot `number-normalizer` of faxgate:policy@1.0.0 for C, without a generator: the records of wit/ as the canonical
 * ABI of the component model lays them out in 32-bit memory, and the imported and exported functions.
 *
 * Everything a function returns has to stay where it is until the call ends. Every call runs in a fresh instance, so
 * that static memory serves for that, and nothing is ever freed. */
#ifndef FAXGATE_H
#define FAXGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAXGATE_IMPORT(interface, function) __attribute__((import_module(interface), import_name(function)))
#define FAXGATE_EXPORT(name) __attribute__((export_name(name)))

/* string: UTF-8, not terminated. */
typedef struct {
  const char *at;
  size_t bytes;
} text_t;

#define TEXT(literal) ((text_t){(literal), sizeof(literal) - 1})

/* option<string> */
typedef struct {
  bool some;
  text_t value;
} maybe_text_t;

/* list<attribute>: none are defined in 1.0.0. */
typedef struct {
  const void *at;
  size_t count;
} attributes_t;

/* ---- interface host: functions of the gateway ---- */

enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

FAXGATE_IMPORT("faxgate:policy/host@1.0.0", "log")
void faxgate_log(int32_t level, const char *at, size_t bytes);

FAXGATE_IMPORT("faxgate:policy/host@1.0.0", "setting")
void faxgate_setting(const char *key, size_t bytes, maybe_text_t *value);

/* ---- interface plugin: name, version and check of the settings ---- */

typedef struct {
  text_t name;
  text_t version;
  text_t description;
  attributes_t attributes;
} about_t;

/* result<_, string> */
typedef struct {
  bool refused;
  text_t reason;
} settings_check_t;

/* ---- interface number-normalizer ---- */

enum {
  NOT_A_NUMBER,
  UNKNOWN_COUNTRY,
  TOO_SHORT,
  TOO_LONG,
  EXTENSION,
  NOT_ASSIGNED,
  REFUSED
};

typedef struct {
  text_t e164;
  maybe_text_t region;
  uint8_t kind;
  bool valid;
  attributes_t attributes;
} number_t;

enum { DIAL, REWRITE, PASS };

typedef struct {
  uint8_t tag; /* DIAL, REWRITE or PASS */
  union {
    number_t dial;
    text_t rewrite;
  } as;
} decision_t;

typedef struct {
  uint8_t kind;
  text_t message;
} failure_t;

/* result<decision, failure> */
typedef struct {
  bool failed;
  union {
    decision_t decision;
    failure_t failure;
  } as;
} answer_t;

/* What the canonical ABI makes of the records. Compilation stops where a compiler lays them out otherwise. */
_Static_assert(sizeof(void *) == 4, "compile for wasm32");
_Static_assert(sizeof(about_t) == 32, "about");
_Static_assert(sizeof(settings_check_t) == 12, "result<_, string>");
_Static_assert(offsetof(number_t, kind) == 20 && sizeof(number_t) == 32, "number");
_Static_assert(sizeof(decision_t) == 36, "decision");
_Static_assert(offsetof(answer_t, as) == 4 && sizeof(answer_t) == 40, "result<decision, failure>");

/* ---- what a policy has to define ---- */

about_t *describe(void);
settings_check_t *check_settings(void);
answer_t *normalize(text_t raw, text_t default_region, bool strict);

#endif

/* The exports of the component under the names of the canonical ABI, and memory for what comes in. */
#include "faxgate.h"

/* Memory for the arguments of one call: a few strings. */
static _Alignas(16) char arena[64 * 1024];
static size_t used;

/* Allocates memory for arguments; the canonical ABI calls it before the function itself. */
FAXGATE_EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_bytes, size_t align, size_t bytes) {
  size_t at = (used + align - 1) & ~(align - 1);
  if (at > sizeof arena || bytes > sizeof arena - at) __builtin_trap();
  used = at + bytes;
  char *block = arena + at;
  for (size_t i = 0; i < old_bytes && i < bytes; i++) block[i] = ((char *)old)[i];
  return block;
}

FAXGATE_EXPORT("faxgate:policy/plugin@1.0.0#describe")
about_t *export_describe(void) { return describe(); }

FAXGATE_EXPORT("faxgate:policy/plugin@1.0.0#check-settings")
settings_check_t *export_check_settings(void) { return check_settings(); }

FAXGATE_EXPORT("faxgate:policy/number-normalizer@1.0.0#normalize")
answer_t *export_normalize(const char *raw, size_t raw_bytes, const char *region, size_t region_bytes, int32_t strict,
                         const void *attributes, size_t count) {
  (void)attributes, (void)count;
  return normalize((text_t){raw, raw_bytes}, (text_t){region, region_bytes}, strict != 0);
}

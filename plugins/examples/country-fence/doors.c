/* The component's doors: exports under the names of the canonical ABI, and memory for what comes in. */
#include "faxgate.h"

/* Room for one call: what the gateway hands in is a few strings. */
static _Alignas(16) char room[64 * 1024];
static size_t taken;

/* The gateway asks for memory here before it hands something in. */
FAXGATE_EXPORT("cabi_realloc")
void *cabi_realloc(void *old, size_t old_bytes, size_t align, size_t bytes) {
  size_t at = (taken + align - 1) & ~(align - 1);
  if (at > sizeof room || bytes > sizeof room - at) __builtin_trap();
  taken = at + bytes;
  char *fresh = room + at;
  for (size_t i = 0; i < old_bytes && i < bytes; i++) fresh[i] = ((char *)old)[i];
  return fresh;
}

FAXGATE_EXPORT("faxgate:policy/plugin@1.0.0#describe")
about_t *door_describe(void) { return describe(); }

FAXGATE_EXPORT("faxgate:policy/plugin@1.0.0#check-settings")
settings_check_t *door_check_settings(void) { return check_settings(); }

FAXGATE_EXPORT("faxgate:policy/number-normalizer@1.0.0#normalize")
answer_t *door_normalize(const char *raw, size_t raw_bytes, const char *region, size_t region_bytes, int32_t strict,
                         const void *attributes, size_t count) {
  (void)attributes, (void)count;
  return normalize((text_t){raw, raw_bytes}, (text_t){region, region_bytes}, strict != 0);
}

/* Allow list of countries and areas, in C: only numbers that begin with a listed prefix may be faxed.
 *
 *   [plugins."country-fence".settings]
 *   allow = "+1 212, +1 646, +44"   # everything else is refused
 *
 * A number has to be written in full, with a plus sign or with 00 or 011 before the country code: a national one is
 * refused, since it does not name its country. An allowed number is read by the next normalizer. */
#include "faxgate.h"

enum { LONGEST = 32 };

static answer_t answer;

static text_t setting(text_t key) {
  maybe_text_t value;
  faxgate_setting(key.at, key.bytes, &value);
  return value.some ? value.value : TEXT("");
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_between(char c) { return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')'; }

static answer_t *refuse(int kind, text_t message) {
  answer.failed = true;
  answer.as.failure.kind = (uint8_t)kind;
  answer.as.failure.message = message;
  return &answer;
}

/* The next prefix of the list from `*at` on, as digits; the count of them, 0 at the end, -1 for what is no prefix. */
static int next_prefix(text_t list, size_t *at, char digits[LONGEST]) {
  while (*at < list.bytes && (list.at[*at] == ' ' || list.at[*at] == ',')) (*at)++;
  if (*at == list.bytes) return 0;
  if (list.at[(*at)++] != '+') return -1;
  int count = 0;
  for (; *at < list.bytes && list.at[*at] != ','; (*at)++) {
    char c = list.at[*at];
    if (is_digit(c) && count < LONGEST) digits[count++] = c;
    else if (!is_between(c)) return -1;
  }
  return count > 0 ? count : -1;
}

/* Country code and number as digits, without the international prefix; the count, -1 when it is not written in full. */
static int in_full(text_t raw, char digits[LONGEST]) {
  bool plus = false;
  int count = 0;
  for (size_t i = 0; i < raw.bytes; i++) {
    char c = raw.at[i];
    if (c == '+' && !plus && count == 0) plus = true;
    else if (is_digit(c) && count < LONGEST) digits[count++] = c;
    else if (!is_between(c)) return -1;
  }
  if (plus) return count;
  int skip = 0;
  if (count > 2 && digits[0] == '0' && digits[1] == '0') skip = 2;
  else if (count > 3 && digits[0] == '0' && digits[1] == '1' && digits[2] == '1') skip = 3;
  else return -1;
  for (int i = skip; i < count; i++) digits[i - skip] = digits[i];
  return count - skip;
}

about_t *describe(void) {
  static about_t about;
  about.name = TEXT("country-fence");
  about.version = TEXT("1.0.0");
  about.description = TEXT("Lets faxes go to listed countries and areas only");
  return &about;
}

settings_check_t *check_settings(void) {
  static settings_check_t check;
  text_t list = setting(TEXT("allow"));
  char prefix[LONGEST];
  size_t at = 0;
  int found = 0, count;
  while ((count = next_prefix(list, &at, prefix)) > 0) found++;
  if (count < 0 || found == 0) {
    check.refused = true;
    check.reason = TEXT("`allow` has to list prefixes such as +1 212, each with + and its country code");
  }
  return &check;
}

answer_t *normalize(text_t raw, text_t default_region, bool strict) {
  (void)default_region, (void)strict;
  static char number[LONGEST + 1];
  int digits = in_full(raw, number + 1);
  if (digits <= 0) return refuse(REFUSED, TEXT("Write the number in full, with + and the country code."));
  text_t list = setting(TEXT("allow"));
  char prefix[LONGEST];
  size_t at = 0;
  for (int count; (count = next_prefix(list, &at, prefix)) > 0;) {
    int same = 0;
    while (same < count && same < digits && number[1 + same] == prefix[same]) same++;
    if (same < count) continue;
    number[0] = '+';
    answer.as.decision.tag = REWRITE;
    answer.as.decision.as.rewrite = (text_t){number, (size_t)digits + 1};
    return &answer;
  }
  text_t line = TEXT("refused a number that no listed prefix allows");
  faxgate_log(LEVEL_INFO, line.at, line.bytes);
  return refuse(REFUSED, TEXT("Numbers of this country or area may not be faxed from here."));
}

#include "data/tokenizers/json_pattern.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "data/tokenizers/regex_dialect.h"

namespace qaq {

Regex read_pattern(const JsonValue& pattern) {
  if (const auto text = pattern.find("String")) return Regex(literal_pattern(text->text()));
  const JsonValue regex = pattern.at("Regex");
  try {
    return Regex(pcre2_pattern(regex.text()));
  } catch (const Error& error) {
    regex.refuse(cat(error.text().what, " (", error.text().place, ")"), error.text().cure);
  }
}

}  // namespace qaq

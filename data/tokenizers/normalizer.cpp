#include "data/tokenizers/normalizer.h"

#include <cstdlib>
#include <memory>
#include <utf8proc.h>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

std::string to_unicode_form(std::string_view text, UnicodeForm form) {
  const bool composed = form == UnicodeForm::nfc || form == UnicodeForm::nfkc;
  const bool compatible = form == UnicodeForm::nfkc || form == UnicodeForm::nfkd;
  const int options = UTF8PROC_STABLE | (composed ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE) |
                      (compatible ? UTF8PROC_COMPAT : 0);
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t n = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                          static_cast<utf8proc_ssize_t>(text.size()), &out,
                                          static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
  if (n < 0) {
    throw Error(ErrorKind::work,
                {.what = cat("the text cannot be normalized: ", utf8proc_errmsg(n)),
                 .cure = "give a shorter text"});
  }
  return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(n)};
}

}  // namespace qaq

#include "data/tokenizers/regex.h"

#include <cassert>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Regex::Compiled {
  pcre2_code* code = nullptr;
  ~Compiled() { pcre2_code_free(code); }
};

Regex::Regex(const std::string& pattern) : compiled_(std::make_unique<Compiled>()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  compiled_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                  PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
  assert(compiled_->code && "the expression is wrong");
  // Without a just-in-time compiler on this machine, matching is slower and otherwise the same.
  pcre2_jit_compile(compiled_->code, PCRE2_JIT_COMPLETE);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::for_each_match(std::string_view text,
                           const std::function<void(std::size_t, std::size_t)>& found) const {
  const std::unique_ptr<pcre2_match_data, FreeMatch> data(
      pcre2_match_data_create_from_pattern(compiled_->code, nullptr));
  std::size_t at = 0;
  while (at < text.size()) {
    // The text was checked by the caller; checking it again at each match would be quadratic.
    const int n =
        pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                    PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, data.get(), nullptr);
    if (n == PCRE2_ERROR_NOMATCH) return;
    if (n < 0) {
      throw Error(ErrorKind::work,
                  {.place = cat("byte ", at),
                   .what = cat("splitting the text into words failed (PCRE2 ", n, ")"),
                   .cure = "give a shorter text"});
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    found(bounds[0], bounds[1]);
    at = bounds[1];
  }
}

}  // namespace qaq

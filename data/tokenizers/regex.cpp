#include "data/tokenizers/regex.h"

#include <array>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

struct Free {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};

// Of one match: an expression that doubles its work with every character must end within a second
// or so. A run of n spaces or letters costs n steps at worst.
constexpr std::uint32_t kMaxSteps = 10'000'000;
constexpr std::uint32_t kMaxHeapKiB = 128 * 1024;

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct Regex::Compiled {
  pcre2_code* code = nullptr;
  pcre2_match_context* limits = pcre2_match_context_create(nullptr);
  ~Compiled() {
    pcre2_code_free(code);
    pcre2_match_context_free(limits);
  }
};

Regex::Regex(const std::string& pattern) : compiled_(std::make_unique<Compiled>()) {
  const std::unique_ptr<pcre2_compile_context, Free> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  compiled_->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &error, &offset, context.get());
  if (!compiled_->code) {
    refuse_input({.place = cat("byte ", offset, " of the pattern"),
                  .what = cat("the regular expression is broken: ", message_of(error)),
                  .cure = "mend the expression"});
  }
  pcre2_set_match_limit(compiled_->limits, kMaxSteps);
  pcre2_set_heap_limit(compiled_->limits, kMaxHeapKiB);
  // Without a just-in-time compiler on this machine, matching is slower and otherwise the same.
  pcre2_jit_compile(compiled_->code, PCRE2_JIT_COMPLETE);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::for_each_match(std::string_view text,
                           const std::function<void(std::size_t, std::size_t)>& found) const {
  const std::unique_ptr<pcre2_match_data, Free> data(
      pcre2_match_data_create_from_pattern(compiled_->code, nullptr));
  const auto match = [&](std::size_t at, std::uint32_t options) {
    // The text was checked by the caller; checking it again at each match would be quadratic.
    return pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                       PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY | options, data.get(),
                       compiled_->limits);
  };
  std::size_t at = 0;
  while (at < text.size()) {
    int n = match(at, 0);
    // Compiled code has a small stack; the interpreter has the heap.
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) n = match(at, PCRE2_NO_JIT);
    if (n == PCRE2_ERROR_NOMATCH) return;
    if (n < 0) {
      refuse_input(
          {.place = cat("byte ", at),
           .what = cat("the expression that splits text into words gives up: ", message_of(n)),
           .cure = "give a shorter text, or a tokenizer with a simpler expression"});
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
    found(bounds[0], bounds[1]);
    at = bounds[1];
  }
}

}  // namespace qaq

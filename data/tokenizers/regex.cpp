#include "data/tokenizers/regex.h"

#include <algorithm>
#include <array>
#include <chrono>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

struct Free {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

// Expressions of a file may take time that grows with any power of the text, or doubles with every
// character. Steps are counted from each place at which a match may begin; a run of n spaces or
// letters costs n at worst. Such places are tried a few at a time, with a look at the clock in
// between.
constexpr std::uint32_t kMaxSteps = 2'000'000;
constexpr std::uint32_t kMaxHeapKiB = 128 * 1024;
constexpr std::size_t kPlacesAtATime = 32;

std::chrono::duration<double> time_allowed(std::size_t n_bytes) {
  return std::chrono::duration<double>(2 + 5e-6 * static_cast<double>(n_bytes));
}

[[noreturn]] void give_up(std::size_t at, const std::string& why) {
  refuse_input({.place = cat("byte ", at),
                .what = cat("the expression that splits text into words gives up: ", why),
                .cure = "give a shorter text, or a tokenizer with a simpler expression"});
}

// The first character that begins behind `offset`.
std::size_t next_character(std::string_view text, std::size_t offset) {
  for (++offset; offset < text.size(); ++offset) {
    if ((static_cast<unsigned char>(text[offset]) & 0xc0) != 0x80) break;
  }
  return offset;
}

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
  compiled_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_USE_OFFSET_LIMIT,
                                  &error, &offset, context.get());
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
  const std::unique_ptr<pcre2_match_context, Free> limits(
      pcre2_match_context_copy(compiled_->limits));
  const auto match = [&](std::size_t at, std::uint32_t options) {
    // The text was checked by the caller; checking it again at each match would be quadratic.
    return pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                       PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY | options, data.get(), limits.get());
  };
  const auto started = std::chrono::steady_clock::now();
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t last_place = at + kPlacesAtATime - 1;
    pcre2_set_offset_limit(limits.get(), std::min(last_place, text.size()));
    int n = match(at, 0);
    // Compiled code has a small stack; the interpreter has the heap.
    if (n == PCRE2_ERROR_JIT_STACKLIMIT) n = match(at, PCRE2_NO_JIT);
    if (n < 0 && n != PCRE2_ERROR_NOMATCH) give_up(at, message_of(n));
    if (n == PCRE2_ERROR_NOMATCH) {
      at = next_character(text, last_place);
    } else {
      const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
      found(bounds[0], bounds[1]);
      at = bounds[1];
    }
    if (std::chrono::steady_clock::now() - started > time_allowed(text.size())) {
      give_up(at, "it takes too much time");
    }
  }
}

}  // namespace qaq

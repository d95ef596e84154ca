#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace qaq {

/// A compiled PCRE2 expression over UTF-8 with Unicode properties. Thread-safe.
class Regex {
 public:
  /// `pattern` is one of this program's own: a wrong one is a programmer mistake.
  explicit Regex(const std::string& pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  /// Calls found(begin, end) for every match in valid UTF-8 `text`, from left to right; matches do
  /// not overlap and none is empty. Throws Error{work} where matching runs out of memory.
  void for_each_match(std::string_view text,
                      const std::function<void(std::size_t, std::size_t)>& found) const;

 private:
  struct Compiled;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace qaq

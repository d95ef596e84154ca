#pragma once

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// Its arguments, one after the other, in the C locale.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  (out << ... << parts);
  return std::move(out).str();
}

/// The offset of the first byte that is not part of valid UTF-8; nothing if all is valid.
std::optional<std::size_t> invalid_utf8_offset(std::string_view text);

/// The name in `names` nearest to `name` (edit distance), if near enough to be a misspelling.
std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& names);

/// Shortest text that reads back as the same double, with a point and no thousands separators.
std::string number_text(double value);

/// printf's %.*f and %.*g, but in the C locale whatever the program's is, which Qt takes from the
/// environment. `digits`: 1 to 17.
std::string fixed_text(double value, int decimals);
std::string short_text(double value, int digits = 4);

/// "3.4 MB": decimal units, two to four significant digits.
std::string byte_text(std::int64_t n_bytes);

/// Now, in UTC: "2026-01-31T23:59:59Z".
std::string utc_now();

}  // namespace qaq

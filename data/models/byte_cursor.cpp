#include "data/models/byte_cursor.h"

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

std::span<const std::byte> ByteCursor::take(std::uint64_t n, std::string_view what) {
  if (n > remaining()) {
    refuse(cat(what, " of ", n, " bytes goes beyond the end of the file (", remaining(),
               " bytes remain)"));
  }
  const auto taken = bytes_.subspan(offset_, static_cast<std::size_t>(n));
  offset_ += taken.size();
  return taken;
}

std::string_view ByteCursor::string(std::string_view what) {
  if (remaining() < sizeof(std::uint64_t)) refuse(cat("the file ends before ", what));
  const auto bytes = take(number<std::uint64_t>(what), what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void ByteCursor::refuse(const std::string& what, const std::string& cure) const {
  refuse_input({.file = file_,
                .place = place_.empty() ? cat("byte ", offset_) : place_,
                .what = what,
                .cure = cure.empty() ? "the file is truncated or damaged; get it again" : cure});
}

}  // namespace qaq

#include "data/capture/h5_error.h"

#include <algorithm>
#include <hdf5.h>
#include <string_view>

namespace qaq::h5 {
namespace {

herr_t keep_deepest(unsigned depth, const H5E_error2_t* entry, void* out) {
  if (depth == 0 && entry->desc) *static_cast<std::string*>(out) = entry->desc;
  return 0;
}

}  // namespace

std::string failure_reason() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_deepest, &text);
  H5Eclear2(H5E_DEFAULT);
  // "file write failed: time = ..., error message = 'No space left on device', buf = ..."
  static constexpr std::string_view kMessage = "error message = '";
  const std::size_t message = text.find(kMessage);
  if (message != std::string::npos) {
    const std::size_t begin = message + kMessage.size();
    return text.substr(begin, text.find('\'', begin) - begin);
  }
  return text.substr(0, std::min(text.find(": time = "), text.find('\n')));
}

}  // namespace qaq::h5

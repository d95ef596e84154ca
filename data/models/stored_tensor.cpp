#include "data/models/stored_tensor.h"

#include <algorithm>
#include <map>

namespace qaq {

std::string main_type(const std::vector<StoredTensor>& tensors) {
  std::map<std::string_view, std::int64_t> n_numbers;
  for (const StoredTensor& tensor : tensors) n_numbers[tensor.type_name] += tensor.n_elements();
  const auto most =
      std::ranges::max_element(n_numbers, {}, [](const auto& each) { return each.second; });
  std::string name(most == n_numbers.end() ? "" : most->first);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

}  // namespace qaq

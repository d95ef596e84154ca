#include "core/analysis/token_search.h"

#include <algorithm>
#include <string>

namespace qaq {
namespace {

// Bytes of UTF-8 beyond ASCII stay as they are.
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::vector<std::int32_t> tokens_with_text(const CaptureInfo& info, std::string_view text) {
  if (text.empty()) return {};
  std::string all;
  std::vector<std::size_t> starts;
  for (const std::string& token : info.token_text) {
    starts.push_back(all.size());
    all += lower(token);
  }
  const std::string wanted = lower(text);
  std::vector<std::int32_t> found;
  for (std::size_t at = all.find(wanted); at != std::string::npos; at = all.find(wanted, at + 1)) {
    const auto next = std::upper_bound(starts.begin(), starts.end(), at);
    const auto token = static_cast<std::int32_t>(next - starts.begin() - 1);
    if (found.empty() || found.back() != token) found.push_back(token);
  }
  return found;
}

}  // namespace qaq

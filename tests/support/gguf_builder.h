#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace qaq::test {

/// Writes small GGUF files (version 3, F32 tensors), for tests of what a reader makes of them.
class GgufBuilder {
 public:
  using Value = std::variant<std::uint32_t, float, bool, std::string, std::vector<std::string>,
                             std::vector<std::int32_t>>;

  /// A whole LLaMA model: 2 layers, 4 heads, 2 KV heads, head_dim 6, hidden 24, 9 tokens; weight i
  /// of each tensor is i / 8.
  static GgufBuilder tiny_llama();

  GgufBuilder& set(const std::string& key, Value value);
  GgufBuilder& erase(const std::string& key);
  /// `extents` in ggml's order: (cols, rows).
  GgufBuilder& tensor(const std::string& name, std::vector<std::uint64_t> extents);
  GgufBuilder& erase_tensor(const std::string& name);

  void write(const std::filesystem::path& path) const;

 private:
  std::map<std::string, Value> metadata_;
  std::map<std::string, std::vector<std::uint64_t>> tensors_;
};

}  // namespace qaq::test

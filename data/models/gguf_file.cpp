#include "data/models/gguf_file.h"

#include "core/base/sha256.h"

namespace qaq {

GgufFile::GgufFile(const std::string& path)
    : map_(path), contents_(parse_gguf(map_.bytes(), path)) {
  for (std::size_t i = 0; i < tensors().size(); ++i) index_.emplace(tensors()[i].name, i);
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto at = index_.find(name);
  return at == index_.end() ? nullptr : &tensors()[at->second];
}

const std::string& GgufFile::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = sha256_hex(map_.bytes()); });
  return sha256_;
}

}  // namespace qaq

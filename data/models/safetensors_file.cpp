#include "data/models/safetensors_file.h"

#include "core/base/sha256.h"
#include "data/models/file_kind.h"

namespace qaq {

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path), map_(path) {
  // A Git LFS pointer or a web page says more than "the header's length is too large".
  if (kind_of_file(map_.bytes()) != FileKind::safetensors) refuse_as_model(map_.bytes(), file_);
  contents_ = parse_safetensors(map_.bytes(), file_);
}

const std::string& SafetensorsFile::sha256() const {
  std::call_once(hashed_, [this] { sha256_ = sha256_hex(map_.bytes()); });
  return sha256_;
}

}  // namespace qaq

#include "data/models/model_file.h"

#include <filesystem>
#include <system_error>

#include "data/models/file_kind.h"
#include "data/models/gguf_model.h"
#include "data/models/hf_model.h"

namespace qaq {

std::shared_ptr<const ModelFile> open_model(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return std::make_shared<HfModel>(path);
  const MappedFile file(path);
  switch (kind_of_file(file.bytes())) {
    case FileKind::gguf:
      return std::make_shared<GgufModel>(path);
    case FileKind::safetensors:
      return std::make_shared<HfModel>(path);
    default:
      refuse_as_model(file.bytes(), path);
  }
}

}  // namespace qaq

#include "data/models/model_file.h"

#include "data/models/gguf_model.h"

namespace qaq {

std::shared_ptr<const ModelFile> open_model(const std::string& path) {
  return std::make_shared<GgufModel>(path);
}

}  // namespace qaq

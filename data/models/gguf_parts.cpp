#include "data/models/gguf_parts.h"

#include <algorithm>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::int64_t kMaxParts = 99999;  // what five digits can name

std::string five_digits(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

// "-00002-of-00003.gguf"; `no` counts from 0.
std::string part_ending(std::int64_t no, std::int64_t count) {
  return cat("-", five_digits(no + 1), "-of-", five_digits(count), ".gguf");
}

std::vector<std::int64_t> row_major_shape(const GgufTensor& tensor) {
  std::vector<std::int64_t> shape(tensor.extents.begin(), tensor.extents.begin() + tensor.n_dims);
  std::ranges::reverse(shape);
  return shape;
}

}  // namespace

GgufParts::GgufParts(const std::string& path) : file_(path) {
  parts_.push_back(std::make_unique<GgufFile>(path));
  const std::int64_t count = metadata().count_or("split.count", 0);
  if (count > 1) open_other_parts(count);
}

void GgufParts::open_other_parts(std::int64_t count) {
  const GgufMetadata& opened = metadata();
  const std::int64_t no = opened.count("split.no");
  if (count > kMaxParts || no >= count) {
    opened.refuse("split.no", cat("part ", no, " of ", count, " is out of range"));
  }
  const std::string ending = part_ending(no, count);
  if (!file_.ends_with(ending)) {
    opened.refuse(
        "split.count",
        cat("the file is part ", no + 1, " of ", count, ", and its name does not end in ", ending),
        "give the parts back their names, so that the others are found");
  }
  const std::string stem = file_.substr(0, file_.size() - ending.size());
  std::vector<std::unique_ptr<GgufFile>> parts;
  std::int64_t n_tensors = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string path = stem + part_ending(i, count);
    if (i == no) {
      parts.push_back(std::move(parts_.front()));
    } else if (std::filesystem::exists(path)) {
      parts.push_back(std::make_unique<GgufFile>(path));
    } else {
      refuse_input({.file = file_,
                    .place = std::filesystem::path(path).filename().string(),
                    .what = cat("part ", i + 1, " of ", count, " is missing"),
                    .cure = "put all parts into one folder"});
    }
    const GgufMetadata& part = parts.back()->metadata();
    if (part.count("split.no") != i || part.count("split.count") != count) {
      part.refuse("split.no", cat("the file is no part ", i + 1, " of ", count),
                  "give the parts back their names");
    }
    n_tensors += static_cast<std::int64_t>(parts.back()->tensors().size());
  }
  parts_ = std::move(parts);
  const std::int64_t expected = metadata().count_or("split.tensors.count", n_tensors);
  if (expected != n_tensors) {
    metadata().refuse("split.tensors.count",
                      cat("the parts hold ", n_tensors, " tensors instead of ", expected));
  }
}

const GgufTensor* GgufParts::find_tensor(std::string_view name) const {
  for (const auto& part : parts_) {
    if (const GgufTensor* tensor = part->find_tensor(name)) return tensor;
  }
  return nullptr;
}

std::vector<StoredTensor> GgufParts::tensors() const {
  std::vector<StoredTensor> out;
  for (const auto& part : parts_) {
    for (const GgufTensor& tensor : part->tensors()) {
      out.push_back({.name = tensor.name,
                     .file = part->file(),
                     .type_name = tensor.type->name,
                     .type = tensor.type->weight_type,
                     .shape = row_major_shape(tensor),
                     .bytes = tensor.bytes});
    }
  }
  return out;
}

std::string GgufParts::sha256() const {
  if (parts_.size() == 1) return first().sha256();
  Sha256 hash;
  for (const auto& part : parts_) hash.update(part->sha256());
  return hash.finish();
}

}  // namespace qaq

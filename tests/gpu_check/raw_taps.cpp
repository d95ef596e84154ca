#include "tests/gpu_check/raw_taps.h"

#include <filesystem>
#include <iterator>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq::gpu_check {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kNames[] = {"query",     "key",    "value",     "attention_stats",
                                  "attention", "logits", "logits_top"};

[[noreturn]] void fail(const std::string& file) {
  throw Error(ErrorKind::work,
              {.file = file, .what = "cannot be written", .cure = "choose another --out"});
}

}  // namespace

const char* tap_name(TapKind kind) { return kNames[static_cast<int>(kind)]; }

TapKind tap_named(const std::string& name) {
  for (int i = 0; i < static_cast<int>(std::size(kNames)); ++i) {
    if (name == kNames[i]) return static_cast<TapKind>(i);
  }
  refuse_input({.place = name, .what = "is no kind of tap"});
}

RawTaps::RawTaps(const std::string& folder) : folder_(folder) {
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  numbers_.open(folder + "/taps.bin", std::ios::binary | std::ios::trunc);
  if (!numbers_) fail(folder + "/taps.bin");
}

void RawTaps::put(const TapBlock& block) {
  blocks_.push_back({{"what", tap_name(block.what)},
                     {"layer", block.layer},
                     {"first_head", block.first_head},
                     {"n_heads", block.n_heads},
                     {"first_row", block.first_row},
                     {"n_rows", block.n_rows},
                     {"n_cols", block.n_cols},
                     {"offset", n_bytes_}});
  numbers_.write(reinterpret_cast<const char*>(block.bytes.data()), std::ssize(block.bytes));
  n_bytes_ += std::ssize(block.bytes);
}

void RawTaps::finish(const ModelSource& model, const Origin& origin) {
  numbers_.close();
  if (!numbers_) fail(folder_ + "/taps.bin");
  const ModelSpec& spec = model.spec();
  const Json json{{"name", spec.name},
                  {"architecture", spec.architecture},
                  {"sha256", model.sha256()},
                  {"weights_dtype", spec.weights_dtype},
                  {"config", Json::parse(spec.config_json)},
                  {"dtype", name_of(origin.dtype)},
                  {"ids", origin.ids},
                  {"tokens", origin.tokens},
                  {"top_logits", std::min(kTopLogits, spec.shape.vocab_size)},
                  {"device", origin.device},
                  {"commit", origin.commit},
                  {"utc", utc_now()},
                  {"bytes", n_bytes_},
                  {"blocks", blocks_}};
  const std::string path = folder_ + "/taps.json";
  std::ofstream out(path);
  out << json.dump() << '\n';
  out.close();
  if (!out) fail(path);
}

}  // namespace qaq::gpu_check

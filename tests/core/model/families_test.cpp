#include "core/model/families.h"

#include <gtest/gtest.h>
#include <set>

namespace qaq {
namespace {

TEST(Families, AreFoundByTheirNamesInEitherFormat) {
  for (const Family& family : families()) {
    EXPECT_EQ(family_of_model_type(family.name), &family);
    if (!family.gguf_architecture.empty()) {
      EXPECT_EQ(family_of_gguf(family.gguf_architecture), &family);
    }
  }
  EXPECT_EQ(family_of_model_type("mamba"), nullptr);
  EXPECT_EQ(family_of_model_type(""), nullptr);
  EXPECT_EQ(family_of_gguf("mistral"), nullptr) << "comes as llama";
  EXPECT_EQ(family_of_gguf(""), nullptr);
}

TEST(Families, ListTheirNamesForMessages) {
  EXPECT_EQ(family_names(), "llama, mistral, qwen2, qwen3, gpt2, opt, bloom, gpt_neox");
  EXPECT_EQ(gguf_architecture_names(), "llama, qwen2, qwen3");
}

TEST(Families, OnlyLlamaIsInterleavedInGguf) {
  for (const Family& family : families()) {
    EXPECT_EQ(family.gguf_interleaved, family.name == "llama") << family.name;
  }
}

TEST(Families, HaveDistinctNames) {
  std::set<std::string_view> names;
  for (const Family& family : families()) names.insert(family.name);
  EXPECT_EQ(names.size(), families().size());
}

}  // namespace
}  // namespace qaq

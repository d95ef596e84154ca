// Chats held against what transformers' Jinja renders; see
// tests/data/tokenizer_files/make_chats.py.
#include "data/tokenizers/chat_template.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/text.h"
#include "tests/support/refusal.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

TEST(ChatTemplate, KnownOnesAreWrittenAsJinjaRendersThem) {
  const auto cases = test::test_data_json("tokenizer_files/chats.json");
  ASSERT_EQ(cases.size(), 60u);
  for (const auto& each : cases) {
    SCOPED_TRACE(cat(each.at("name").dump(), " ", each.at("messages").dump()));
    const ChatTemplate chat = recognise_chat_template(each.at("template").get<std::string>(),
                                                      each.at("beginning").get<std::string>(),
                                                      each.at("end").get<std::string>());
    std::vector<ChatMessage> messages;
    for (const auto& message : each.at("messages")) {
      messages.push_back({message.at("role"), message.at("content")});
    }
    EXPECT_EQ(render_chat(chat, messages, each.at("add_generation_prompt")), each.at("text"));
  }
}

using test::refusal;

TEST(ChatTemplate, AnUnknownOneIsNotGuessed) {
  // Zephyr's marks, which are nobody else's.
  const std::string line = refusal([] {
    recognise_chat_template("{{ '<|user|>\\n' + message['content'] + eos_token }}", "<s>", "</s>");
  });
  for (const char* word : {"ChatML", "LLaMA-2", "LLaMA-3", "write the prompt out"}) {
    EXPECT_NE(line.find(word), std::string::npos) << line;
  }
  // Mistral's [INST] without <<SYS>> comes in several spacings.
  EXPECT_NE(refusal([] { recognise_chat_template("{{ '[INST] ' }}", "", ""); }), "taken");
}

TEST(ChatTemplate, RolesThatTheFormatHasNotAreRefused) {
  const ChatTemplate llama2{.format = ChatFormat::llama2, .beginning = "<s>", .end = "</s>"};
  EXPECT_NE(refusal([&] {
              render_chat(llama2, {{"assistant", "a"}});
            }).find("message 0"),
            std::string::npos);
  EXPECT_NE(refusal([&] {
              render_chat(llama2, {{"user", "a"}, {"user", "b"}});
            }).find("message 1"),
            std::string::npos);
  EXPECT_NE(refusal([] {
              render_chat(ChatTemplate{}, {{"tool", "a"}});
            }).find("'tool'"),
            std::string::npos);
  EXPECT_NE(refusal([] { render_chat(ChatTemplate{}, {}); }).find("no message"), std::string::npos);
}

}  // namespace
}  // namespace qaq

#include "views/shell/system_theme.h"

#include <QSignalSpy>
#include <gtest/gtest.h>

namespace qaq::views {
namespace {

QDBusVariant scheme(uint value) { return QDBusVariant(value); }

TEST(TheDesktopsTheme, IsWhatThePortalSays) {
  SystemTheme theme;
  QSignalSpy changed(&theme, &SystemTheme::changed);
  const QString group = "org.freedesktop.appearance", key = "color-scheme";
  theme.take(group, key, scheme(1));
  EXPECT_TRUE(theme.isDark());
  theme.take(group, key, QDBusVariant(QVariant::fromValue(scheme(2))));
  EXPECT_FALSE(theme.isDark()) << "an answer is wrapped twice";
  EXPECT_EQ(changed.count(), 2);
  theme.take(group, "contrast", scheme(1));
  theme.take("org.example", key, scheme(1));
  theme.take(group, key, scheme(0));
  EXPECT_FALSE(theme.isDark()) << "other settings, and no preference, change nothing";
  EXPECT_EQ(changed.count(), 2);
}

}  // namespace
}  // namespace qaq::views

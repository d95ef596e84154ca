#pragma once

#include "views/commands/command_registry.h"
#include "views/commands/overlay_panel.h"

class QHBoxLayout;
class QScrollArea;

namespace qaq::views {

class CommandMenus;

/// All shortcuts by menu, as they are now, and what the mouse and the arrow keys do on a map.
class CheatSheet : public OverlayPanel {
  Q_OBJECT

 public:
  struct Row {
    QString keys{};
    QString text{};
  };
  struct Group {
    QString title{};
    QList<Row> rows{};
  };

  CheatSheet(const CommandRegistry* registry, const CommandMenus* menus, QWidget* window);

  void showNow();
  QList<Group> groups() const;
  void setTheme(const Theme& theme) override;

 protected:
  QSize wantedSize() const override;
  QWidget* firstFocus() override;

 private:
  void fill();

  const CommandRegistry* m_registry;
  const CommandMenus* m_menus;
  QScrollArea* m_scroll;
};

}  // namespace qaq::views

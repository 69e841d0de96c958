import type { RespondArguments, ViewResponseAction } from '@slack/bolt';
import type { KnownBlock, View } from '@slack/types';
import type * as api from '@slack/web-api';

/** Web API methods and their arguments, and what answers Slack without a method. */
export interface Calls {
  'apps.connections.open': api.AppsConnectionsOpenArguments;
  'auth.test': api.AuthTestArguments;
  'bookmarks.add': api.BookmarksAddArguments;
  'canvases.create': api.CanvasesCreateArguments;
  'canvases.edit': api.CanvasesEditArguments;
  'chat.delete': api.ChatDeleteArguments;
  'chat.getPermalink': api.ChatGetPermalinkArguments;
  'chat.postEphemeral': api.ChatPostEphemeralArguments;
  'chat.postMessage': api.ChatPostMessageArguments;
  'chat.update': api.ChatUpdateArguments;
  'conversations.archive': api.ConversationsArchiveArguments;
  'conversations.create': api.ConversationsCreateArguments;
  'conversations.history': api.ConversationsHistoryArguments;
  'conversations.info': api.ConversationsInfoArguments;
  'conversations.invite': api.ConversationsInviteArguments;
  'conversations.join': api.ConversationsJoinArguments;
  'conversations.list': api.ConversationsListArguments;
  'conversations.members': api.ConversationsMembersArguments;
  'conversations.open': api.ConversationsOpenArguments;
  'conversations.rename': api.ConversationsRenameArguments;
  'conversations.replies': api.ConversationsRepliesArguments;
  'conversations.setPurpose': api.ConversationsSetPurposeArguments;
  'conversations.setTopic': api.ConversationsSetTopicArguments;
  'conversations.unarchive': api.ConversationsUnarchiveArguments;
  'files.completeUploadExternal': api.FilesCompleteUploadExternalArguments;
  'files.getUploadURLExternal': api.FilesGetUploadURLExternalArguments;
  'files.delete': api.FilesDeleteArguments;
  'files.info': api.FilesInfoArguments;
  'pins.add': api.PinsAddArguments;
  'pins.list': api.PinsListArguments;
  'pins.remove': api.PinsRemoveArguments;
  'reactions.add': api.ReactionsAddArguments;
  'team.info': api.TeamInfoArguments;
  'usergroups.list': api.UsergroupsListArguments;
  'usergroups.users.list': api.UsergroupsUsersListArguments;
  'users.conversations': api.UsersConversationsArguments;
  'users.info': api.UsersInfoArguments;
  'users.list': api.UsersListArguments;
  'views.open': api.ViewsOpenArguments;
  'views.publish': api.ViewsPublishArguments;
  'views.push': api.ViewsPushArguments;
  'views.update': api.ViewsUpdateArguments;
  blocks: KnownBlock[];
  view: View;
  /** What acknowledges a command or goes to a response URL. The generator makes one of its alternatives. */
  response: Partial<RespondArguments>;
  /** What acknowledges a form that was sent. */
  submission: ViewResponseAction;
}

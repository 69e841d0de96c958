import type { KnownBlock, View } from '@slack/types';
import type * as api from '@slack/web-api';

/** Web API methods and their arguments. */
export interface Calls {
  'apps.connections.open': api.AppsConnectionsOpenArguments;
  'auth.test': api.AuthTestArguments;
  'canvases.create': api.CanvasesCreateArguments;
  'canvases.edit': api.CanvasesEditArguments;
  'chat.delete': api.ChatDeleteArguments;
  'chat.getPermalink': api.ChatGetPermalinkArguments;
  'chat.postEphemeral': api.ChatPostEphemeralArguments;
  'chat.postMessage': api.ChatPostMessageArguments;
  'chat.update': api.ChatUpdateArguments;
  'conversations.history': api.ConversationsHistoryArguments;
  'conversations.info': api.ConversationsInfoArguments;
  'conversations.members': api.ConversationsMembersArguments;
  'conversations.open': api.ConversationsOpenArguments;
  'conversations.replies': api.ConversationsRepliesArguments;
  'files.completeUploadExternal': api.FilesCompleteUploadExternalArguments;
  'files.getUploadURLExternal': api.FilesGetUploadURLExternalArguments;
  'files.delete': api.FilesDeleteArguments;
  'team.info': api.TeamInfoArguments;
  'usergroups.list': api.UsergroupsListArguments;
  'users.info': api.UsersInfoArguments;
  'users.list': api.UsersListArguments;
  'views.open': api.ViewsOpenArguments;
  'views.publish': api.ViewsPublishArguments;
  'views.push': api.ViewsPushArguments;
  'views.update': api.ViewsUpdateArguments;
  blocks: KnownBlock[];
  view: View;
}

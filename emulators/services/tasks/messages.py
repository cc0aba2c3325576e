"""The raw protobuf classes of google.cloud.tasks.v2."""

from google.cloud import tasks_v2
from google.protobuf.empty_pb2 import Empty as GoogleEmpty

SERVICE = "google.cloud.tasks.v2.CloudTasks"

Empty = GoogleEmpty
Queue = tasks_v2.Queue.pb()
Task = tasks_v2.Task.pb()
Attempt = tasks_v2.Attempt.pb()
CreateQueueRequest = tasks_v2.CreateQueueRequest.pb()
GetQueueRequest = tasks_v2.GetQueueRequest.pb()
ListQueuesRequest = tasks_v2.ListQueuesRequest.pb()
ListQueuesResponse = tasks_v2.ListQueuesResponse.pb()
UpdateQueueRequest = tasks_v2.UpdateQueueRequest.pb()
PauseQueueRequest = tasks_v2.PauseQueueRequest.pb()
ResumeQueueRequest = tasks_v2.ResumeQueueRequest.pb()
PurgeQueueRequest = tasks_v2.PurgeQueueRequest.pb()
DeleteQueueRequest = tasks_v2.DeleteQueueRequest.pb()
CreateTaskRequest = tasks_v2.CreateTaskRequest.pb()
GetTaskRequest = tasks_v2.GetTaskRequest.pb()
ListTasksRequest = tasks_v2.ListTasksRequest.pb()
ListTasksResponse = tasks_v2.ListTasksResponse.pb()
DeleteTaskRequest = tasks_v2.DeleteTaskRequest.pb()
RunTaskRequest = tasks_v2.RunTaskRequest.pb()
